import { MalformedError } from '../errors.ts'
import { equalKeys } from '../keys.ts'
import { buildCosigner, type Cosigner } from './cosignature.ts'
import { NOTE_TYPE } from './note.ts'
import { parseVkey, type Vkey } from './vkey.ts'

/** Who must have cosigned a checkpoint (C2SP tlog-policy): a file of lines, each naming what earlier lines defined. */
export interface WitnessPolicy {
  /** Logs that the policy is for; none means that the logs are known from elsewhere. */
  readonly logs: readonly PolicyLog[]
  /** In the order of the file; no two have the same key. */
  readonly witnesses: readonly PolicyWitness[]
  /** In the order of the file: members come before their group. */
  readonly groups: readonly WitnessGroup[]
  /** Name of the witness or group that must have cosigned; undefined for `quorum none`. */
  readonly quorum: string | undefined
}

/** A `log` line. */
export interface PolicyLog {
  /** Name and key of the log. */
  readonly vkey: Vkey
  /** Not used by verification. */
  readonly url: string | undefined
}

/** A `witness` line. */
export interface PolicyWitness {
  /** Name inside the policy file, which need not be the key name. */
  readonly name: string
  /** Its key. */
  readonly cosigner: Cosigner
  /** Not used by verification. */
  readonly url: string | undefined
}

/** A `group` line. */
export interface WitnessGroup {
  /** Other lines and the quorum name the group by it. */
  readonly name: string
  /** How many members must have cosigned, 1 to all. */
  readonly threshold: number
  /** Names of witnesses and groups. */
  readonly members: readonly string[]
}

const MAX_SIZE = 1024 * 1024
const NONE = 'none'

/**
 * Reads a witness policy, for `witnesses` of a trust domain.
 *
 * @throws MalformedError `MALFORMED_WITNESS_POLICY` with the line
 */
export function parseWitnessPolicy(text: string): WitnessPolicy {
  if (text.length > MAX_SIZE) malformed(0, `the policy is larger than ${MAX_SIZE} characters`)
  const reader = new PolicyReader()
  text.split('\n').forEach((line, i) => reader.line(i + 1, line))
  return reader.end()
}

function malformed(line: number, message: string, got?: string, cause?: unknown): never {
  throw new MalformedError('MALFORMED_WITNESS_POLICY', message, {
    ...(line === 0 ? {} : { where: `line ${line}` }),
    ...(got === undefined ? {} : { got }),
    ...(cause === undefined ? {} : { cause }),
  })
}

class PolicyReader {
  private readonly logs: PolicyLog[] = []
  private readonly witnesses: PolicyWitness[] = []
  private readonly groups: WitnessGroup[] = []
  /** Names of witnesses and groups so far. */
  private readonly defined = new Set<string>()
  /** Names that are in a group: a second group would count one witness twice. */
  private readonly grouped = new Set<string>()
  private quorum: string | undefined

  line(number: number, line: string): void {
    // tab is the only control character that a line may hold
    const control = /[\u0000-\u0008\u000a-\u001f\u007f]/.exec(line)
    if (control !== null) malformed(number, 'the line holds a control character', JSON.stringify(control[0]))
    if (!line.isWellFormed()) malformed(number, 'the line is not well-formed Unicode')
    const items = line.split(/[ \t]+/).filter((item) => item !== '')
    const [keyword, ...rest] = items
    if (keyword === undefined || keyword.startsWith('#')) return
    switch (keyword) {
      case 'log':
        return this.log(number, rest)
      case 'witness':
        return this.witness(number, rest)
      case 'group':
        return this.group(number, rest)
      case 'quorum':
        return this.setQuorum(number, rest)
      default:
        malformed(number, 'the line does not start with log, witness, group or quorum', keyword)
    }
  }

  end(): WitnessPolicy {
    const { logs, witnesses, groups, quorum } = this
    if (quorum === undefined) malformed(0, 'the policy has no quorum line')
    return { logs, witnesses, groups, quorum: quorum === NONE ? undefined : quorum }
  }

  private log(line: number, [text, url, ...more]: readonly string[]): void {
    if (text === undefined || more.length > 0) malformed(line, 'a log line is: log <vkey> [<url>]')
    const vkey = readVkey(line, text)
    if (vkey.type === NOTE_TYPE.cosignatureEd25519)
      malformed(line, 'the key is that of a witness, not of a log', text)
    if (this.logs.some((l) => equalKeys(l.vkey.key, vkey.key)))
      malformed(line, 'two logs have the same key', vkey.name)
    this.logs.push({ vkey, url })
  }

  private witness(line: number, [name, text, url, ...more]: readonly string[]): void {
    if (name === undefined || text === undefined || more.length > 0) {
      malformed(line, 'a witness line is: witness <name> <vkey> [<url>]')
    }
    const cosigner = readCosigner(line, text)
    for (const { name: other, cosigner: known } of this.witnesses) {
      if (equalKeys(known.key, cosigner.key))
        malformed(line, 'two witnesses have the same key', `${other}, ${name}`)
    }
    this.define(line, name)
    this.witnesses.push({ name, cosigner, url })
  }

  private group(line: number, [name, rule, ...members]: readonly string[]): void {
    if (name === undefined || rule === undefined || members.length === 0) {
      malformed(line, 'a group line is: group <name> all|any|<number> <member>...')
    }
    const threshold = readThreshold(line, rule, members.length)
    for (const member of members) {
      if (!this.defined.has(member)) malformed(line, 'the member is not defined on an earlier line', member)
      if (this.grouped.has(member)) malformed(line, 'the member is in a group already', member)
      this.grouped.add(member)
    }
    this.define(line, name)
    this.groups.push({ name, threshold, members })
  }

  private setQuorum(line: number, [name, ...more]: readonly string[]): void {
    if (name === undefined || more.length > 0) malformed(line, 'a quorum line is: quorum <name>')
    if (this.quorum !== undefined) malformed(line, 'the policy has two quorum lines')
    if (name !== NONE && !this.defined.has(name)) {
      malformed(line, 'the quorum is not defined on an earlier line', name)
    }
    this.quorum = name
  }

  private define(line: number, name: string): void {
    if (name === NONE) malformed(line, 'the name is reserved', name)
    if (this.defined.has(name)) malformed(line, 'the name is defined already', name)
    this.defined.add(name)
  }
}

function readVkey(line: number, text: string): Vkey {
  try {
    return parseVkey(text)
  } catch (cause) {
    if (cause instanceof MalformedError) malformed(line, `vkey: ${cause.message}`, text, cause)
    throw cause
  }
}

function readCosigner(line: number, text: string): Cosigner {
  const vkey = readVkey(line, text)
  if (vkey.type === NOTE_TYPE.ed25519 || vkey.type === NOTE_TYPE.ecdsa) {
    malformed(line, 'the key is that of a log, not of a witness', text)
  }
  return buildCosigner(vkey)
}

function readThreshold(line: number, rule: string, members: number): number {
  if (rule === 'any') return 1
  if (rule === 'all') return members
  if (!/^[1-9][0-9]{0,5}$/.test(rule)) malformed(line, 'the threshold is not all, any or a number', rule)
  const threshold = Number(rule)
  if (threshold > members)
    malformed(line, 'the threshold is larger than the group', `${threshold} of ${members}`)
  return threshold
}

/** `cosigned` holds the policy's names of the witnesses whose cosignatures were verified. */
export function checkQuorum(policy: WitnessPolicy, cosigned: Iterable<string>): boolean {
  if (policy.quorum === undefined) return true
  const names = new Set(cosigned)
  const met = new Set(policy.witnesses.map((w) => w.name).filter((name) => names.has(name)))
  // groups come after their members, so one pass decides all
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => met.has(member)).length >= threshold) met.add(name)
  }
  return met.has(policy.quorum)
}
