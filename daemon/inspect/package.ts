import { openPackage } from '../../formats/index.ts'
import type { Artifact, NativeSignature } from '../../trust/artifact.ts'
import { digestStream, type ArtifactDigests } from '../../trust/digest.ts'
import { CodedError } from '../../trust/errors.ts'
import type { LocalFile } from '../package-file.ts'
import { describeBundle } from './bundle.ts'
import { field, hex, numbered, optional, problem, type Fields } from './fields.ts'

/** A package of any format: what it says it is, its digests, and the signatures inside it. */
export async function describePackage(
  file: LocalFile,
): Promise<{ readonly title: string; readonly fields: Fields }> {
  const digests = describeDigests(await digestStream(file.stream(), ['sha256', 'sha512']))
  const size = field('size', `${file.size} bytes`)
  try {
    const { adapter, artifact } = await openPackage(file)
    await file.finish()
    return { title: adapter.title, fields: [...describeArtifact(artifact), size, ...digests] }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { title: 'a file that cannot be read as a package', fields: [size, ...digests, problem(error)] }
  }
}

function describeDigests(digests: ArtifactDigests): Fields {
  return [...digests].map(([algorithm, bytes]) => field(algorithm, hex(bytes)))
}

function describeArtifact({ format, subject, embedded, nativeSignatures, notes }: Artifact): Fields {
  const { name, version, purl, statementNames } = subject
  return [
    field('format', format),
    ...optional('name', name),
    ...optional('version', version),
    ...optional('package URL', purl),
    ...statementNames.map((one) => field('name in statements', one)),
    ...notes.map((note) => field('note', note)),
    ...numbered('signature of its own', nativeSignatures, describeNative),
    ...embedded.map(({ where, bytes }) => field(`bundle inside, in ${where}`, describeBundle(bytes))),
  ]
}

function describeNative(signature: NativeSignature): Fields {
  return [
    field('scheme', signature.scheme),
    field('algorithm', signature.algorithm),
    ...optional('key', signature.keyId),
    field('covers', signature.covers),
    field(
      'content',
      signature.contentMatches ? 'agrees with the digest that was signed' : 'differs, or was not compared',
    ),
  ]
}
