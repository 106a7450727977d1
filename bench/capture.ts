import { Buffer } from 'node:buffer'
import crypto, { KeyObject, X509Certificate } from 'node:crypto'
import { mock } from 'node:test'
import { SigstoreVerifier } from './sigstore-verifier.ts'

/** One bundle with what it is about, and the signatures that verifying it takes. */
export interface Sample {
  /** JSON. */
  readonly bundle: Buffer
  readonly artifact: Buffer
  readonly signatures: readonly SignatureCheck[]
}

/** One signature that had to be checked: exactly what went into `crypto.verify`. */
export interface SignatureCheck {
  readonly data: Buffer
  readonly signature: Buffer
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer
  /** Null for Ed25519 and for the digest that goes with the key. */
  readonly digest: string | null
  /** By the key of the signing certificate, which is new in every bundle. */
  readonly isLeaf: boolean
}

/**
 * Verifies each sample with the `sigstore` packages and notes the signatures that they check. Those of certificates
 * that stand in the trusted root are left out: they are facts about the root, known before the bundle came.
 */
export function captureSignatures(trustedRoot: Buffer, samples: readonly Sample[]): readonly Sample[] {
  const verifier = new SigstoreVerifier(trustedRoot)
  const known = rootSignatures(trustedRoot)
  const verify = mock.method(crypto, 'verify')
  try {
    return samples.map((sample) => {
      verify.mock.resetCalls()
      verifier.verify(sample.bundle, sample.artifact)
      const leaf = leafKey(sample.bundle)
      const seen = new Set<string>()
      const signatures = verify.mock.calls.flatMap(
        ({ arguments: [digest, data, key, signature] }): SignatureCheck[] => {
          const text = asBuffer(signature).toString('base64')
          if (known.has(text) || seen.has(text)) return []
          seen.add(text)
          if (!(key instanceof KeyObject))
            throw new TypeError('a signature was verified with something else than a key')
          const spki = key.export({ type: 'spki', format: 'der' })
          const isLeaf = spki.equals(leaf)
          return [
            { data: asBuffer(data), signature: asBuffer(signature), spki, digest: digest ?? null, isLeaf },
          ]
        },
      )
      return { ...sample, signatures }
    })
  } finally {
    verify.mock.restore()
  }
}

interface Chain {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] }
}

function rootSignatures(trustedRoot: Buffer): ReadonlySet<string> {
  const root = JSON.parse(trustedRoot.toString()) as {
    readonly certificateAuthorities: readonly Chain[]
    readonly timestampAuthorities: readonly Chain[]
  }
  const chains = [...root.certificateAuthorities, ...root.timestampAuthorities]
  const certificates = chains.flatMap(({ certChain }) => certChain.certificates)
  return new Set(
    certificates.map(({ rawBytes }) => lastBitString(Buffer.from(rawBytes, 'base64')).toString('base64')),
  )
}

/** The signature ends a certificate: BIT STRING, length below 128, no unused bits. */
function lastBitString(der: Buffer): Buffer {
  for (let length = 64; length < 128; length++) {
    const at = der.length - length - 2
    if (der[at] === 0x03 && der[at + 1] === length && der[at + 2] === 0 && der[at + 3] === 0x30)
      return der.subarray(at + 3)
  }
  throw new Error('the certificate does not end in an ECDSA signature')
}

function leafKey(bundle: Buffer): Buffer {
  const { verificationMaterial } = JSON.parse(bundle.toString()) as {
    readonly verificationMaterial: { readonly certificate: { readonly rawBytes: string } }
  }
  const { publicKey } = new X509Certificate(Buffer.from(verificationMaterial.certificate.rawBytes, 'base64'))
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** A copy: the buffer may be a view that is written to later. */
function asBuffer(view: NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer): Buffer {
  if (!ArrayBuffer.isView(view)) throw new TypeError('signed data is not a view')
  return Buffer.from(Buffer.from(view.buffer, view.byteOffset, view.byteLength))
}
