import { Buffer } from 'node:buffer'
import { existsSync, readFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CertificateAuthority, CertificateLog, Window } from '../../../trust/authority.ts'
import { checkCertificate } from '../../../trust/checks/certificate.ts'
import { checkScts } from '../../../trust/checks/sct.ts'
import { CodedError } from '../../../trust/errors.ts'
import { parsePublicKey, parsePublicKeyPem, parseRsaPkcs1, type PublicKey } from '../../../trust/keys.ts'
import { parseCertificate, parseCertificates, type Certificate } from '../../../trust/x509/certificate.ts'
import { linkAuthority } from '../../../trust/x509/path.ts'
import { newAuthority } from '../../support/test-certificates.ts'
import { readVector, vectorCases, vectorPath } from '../../support/vectors.ts'

const withCode = (code: string): unknown => expect.objectContaining({ code, check: 'sct' })

interface Root {
  readonly authorities: readonly CertificateAuthority[]
  readonly logs: readonly CertificateLog[]
}
interface RawKey {
  readonly rawBytes: string
  readonly keyDetails: string
  readonly validFor?: { readonly start: string; readonly end?: string | null }
}
interface RawRoot {
  readonly certificateAuthorities: readonly {
    readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] }
    readonly validFor: { readonly start: string; readonly end?: string | null }
  }[]
  readonly ctlogs?: readonly {
    readonly baseUrl: string
    readonly logId: { readonly keyId: string }
    readonly publicKey: RawKey
  }[]
}
interface RawBundle {
  readonly verificationMaterial?: {
    readonly certificate?: { readonly rawBytes: string }
    readonly x509CertificateChain?: { readonly certificates: readonly { readonly rawBytes: string }[] }
  }
}

const windowOf = (raw: RawKey['validFor']): Window => ({
  start: new Date(raw?.start ?? 0),
  end: raw?.end === undefined || raw.end === null ? undefined : new Date(raw.end),
})
const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** By hand: the product's own reader is tested elsewhere. One JSON a line where the file is `.jsonl`. */
function readRoot(name: string): Root {
  const text = readVector(name).toString('utf8')
  const raws = (name.endsWith('.jsonl') ? text.split('\n').filter((line) => line !== '') : [text]).map(
    (t) => JSON.parse(t) as RawRoot,
  )
  return {
    authorities: raws
      .flatMap((raw) => raw.certificateAuthorities)
      .map(({ certChain, validFor }) => {
        const chain = linkAuthority(
          certChain.certificates.map((c) => parseCertificate(fromBase64(c.rawBytes))),
          'codeSigning',
        )
        return { purpose: 'ca', name: 'ca', uri: '', operator: '', chain, validFor: windowOf(validFor) }
      }),
    logs: raws
      .flatMap((raw) => raw.ctlogs ?? [])
      .map(({ baseUrl, logId, publicKey }) => ({
        purpose: 'ctlog',
        baseUrl,
        operator: baseUrl,
        logId: Buffer.from(logId.keyId, 'base64').toString('hex'),
        key: keyOf(publicKey),
        validFor: windowOf(publicKey.validFor),
      })),
  }
}

function keyOf({ rawBytes, keyDetails }: RawKey): PublicKey {
  return keyDetails.startsWith('PKCS1_')
    ? parseRsaPkcs1(fromBase64(rawBytes))
    : parsePublicKey(fromBase64(rawBytes))
}

function leafOfBundle(name: string): Certificate | undefined {
  const path = vectorPath(name)
  if (path === undefined || !existsSync(path)) return undefined
  const [line = ''] = readFileSync(path, 'utf8').split(/\n(?=\{)/)
  const { verificationMaterial } = JSON.parse(line) as RawBundle
  const raw = verificationMaterial?.certificate ?? verificationMaterial?.x509CertificateChain?.certificates[0]
  return raw === undefined ? undefined : parseCertificate(fromBase64(raw.rawBytes))
}

describe('published bundles and certificates', () => {
  const bundles = vectorCases('bundle-verify')
    .filter(({ expected }) => expected.result === 'pass')
    .flatMap(({ id, inputs }) => {
      const { bundle, trustedRoot = 'root-signing/targets/trusted_root.json' } = inputs
      if (typeof bundle !== 'string' || typeof trustedRoot !== 'string') return []
      const leaf = leafOfBundle(bundle)
      return leaf === undefined ? [] : [[id, leaf, trustedRoot] as const]
    })

  it.each(bundles)('%s: the certificate leads to the root and was logged', (_, leaf, trustedRoot) => {
    const root = readRoot(trustedRoot)
    const evidence = checkCertificate(leaf, [], root.authorities, [
      { at: leaf.notBefore },
      { at: leaf.notAfter },
    ])
    expect(evidence.identity.subject.value).not.toBe('')
    // the private instance of one publisher runs no certificate log
    const wanted = leaf.extensions.has('1.3.6.1.4.1.11129.2.4.2') ? 1 : 0
    expect(checkScts(leaf, evidence, root.logs, wanted)).toHaveLength(wanted)
  })

  it('has such bundles, where it has vectors', () => {
    expect(bundles.length === 0 || bundles.length > 30).toBe(true)
  })

  const folder = 'sigstore-java/samples/fulcio-response/valid'
  it.skipIf(vectorPath(folder) === undefined)('verifies a certificate as the authority returned it', () => {
    const [leaf] = parseCertificates(readVector(`${folder}/certWithSct.pem`))
    const [issuer] = parseCertificates(readVector(`${folder}/fulcio.crt.pem`))
    const [plain] = parseCertificates(readVector(`${folder}/cert.pem`))
    if (leaf === undefined || issuer === undefined || plain === undefined)
      throw new TypeError('no certificate')
    const key = parsePublicKeyPem(readVector(`${folder}/ctfe.pub`).toString('utf8'))
    const logId = hash('sha256', key.spki, 'hex')
    const log = {
      purpose: 'ctlog',
      baseUrl: 'ct',
      operator: 'ct',
      logId,
      key,
      validFor: windowOf(undefined),
    } as const
    expect(checkScts(leaf, { issuer, issuerOfIssuer: undefined }, [log], 1)).toHaveLength(1)
    const stranger = { issuer: parseCertificate(newAuthority().certificate), issuerOfIssuer: undefined }
    expect(() => checkScts(leaf, stranger, [log], 1)).toThrow(withCode('SCT_SIGNATURE'))
    expect(() => checkScts(plain, { issuer, issuerOfIssuer: undefined }, [log], 1)).toThrow(
      withCode('SCT_MISSING'),
    )
  })

  it.skipIf(bundles.length === 0)('refuses a real certificate in which any byte was changed', () => {
    const [found] = bundles.filter(([id]) => id === 'conformance/happy-path-v0.3')
    if (found === undefined) throw new TypeError('no such bundle')
    const [, leaf, trustedRoot] = found
    const root = readRoot(trustedRoot)
    const at = { at: new Date(leaf.notBefore.getTime() + 1000) }
    const judge = (der: Uint8Array): void => {
      const certificate = parseCertificate(der)
      checkScts(certificate, checkCertificate(certificate, [], root.authorities, [at]), root.logs, 1)
    }
    expect(() => judge(leaf.der)).not.toThrow()
    const passed: number[] = []
    for (let i = 0; i < leaf.der.length; i++) {
      const changed = Buffer.from(leaf.der)
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
      try {
        judge(changed)
        passed.push(i)
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError)
      }
    }
    expect(passed).toEqual([])
  })

  it.skipIf(bundles.length === 0)(
    'refuses the timestamps alone when any byte of the certificate was changed',
    () => {
      const [found] = bundles.filter(([id]) => id === 'conformance/happy-path-v0.3')
      if (found === undefined) throw new TypeError('no such bundle')
      const [, leaf, trustedRoot] = found
      const root = readRoot(trustedRoot)
      const [issuer] = root.authorities.filter(
        ({ chain }) => Buffer.compare(chain[0].subject, leaf.issuer) === 0,
      )
      if (issuer === undefined) throw new TypeError('no such authority')
      // the signature of the issuer is the one part that a log does not see
      const end = leaf.tbs.byteOffset - leaf.der.byteOffset + leaf.tbs.length
      const passed: number[] = []
      for (let i = 0; i < end; i++) {
        const changed = Buffer.from(leaf.der)
        changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8))
        try {
          checkScts(
            parseCertificate(changed),
            { issuer: issuer.chain[0], issuerOfIssuer: undefined },
            root.logs,
            1,
          )
          passed.push(i)
        } catch (error) {
          expect(error).toBeInstanceOf(CodedError)
        }
      }
      expect(passed).toEqual([])
    },
  )
})
