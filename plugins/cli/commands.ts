/**
 * Every command in one table. The strict parser, yargs, the help texts and the shell completion are all made from it,
 * so none of them can know a flag that the others do not.
 */
export interface CommandDefinition {
  readonly name: CommandName
  readonly positional: PositionalDefinition | undefined
  /** One line, for the list of commands. */
  readonly summary: string
  /** Paragraphs for the command's own help. */
  readonly details: readonly string[]
  readonly flags: readonly FlagDefinition[]
  readonly examples: readonly (readonly [command: string, meaning: string])[]
}

export type CommandName = 'verify' | 'inspect' | 'explain' | 'trust' | 'completion'

export interface PositionalDefinition {
  /** As it is shown: `file|directory|digest`. */
  readonly name: string
  readonly describe: string
  readonly count: 'one' | 'one-or-more' | 'optional'
  readonly completes: 'files' | 'codes' | readonly string[]
}

export interface FlagDefinition {
  readonly name: string
  readonly kind: 'switch' | 'text' | 'list'
  /** What stands for the value in help texts: `FILE`. */
  readonly value?: string
  readonly describe: string
  readonly group: string
  readonly completes?: 'files'
}

const JSON_FLAG: FlagDefinition = {
  name: 'json',
  kind: 'switch',
  describe: 'print JSON, one object per line (docs/json.md has its shape)',
  group: 'Output:',
}

const TRUSTED_ROOT_FLAG: FlagDefinition = {
  name: 'trusted-root',
  kind: 'list',
  value: 'FILE',
  describe: 'trust this root and not the embedded one; may be repeated, each file is a domain of its own',
  group: 'Trust:',
  completes: 'files',
}

const WHO = 'Who must have signed:'

const verify: CommandDefinition = {
  name: 'verify',
  positional: {
    name: 'file|directory|digest',
    describe: 'packages, folders of packages, or sha256:HEX (also sha384, sha512)',
    count: 'one-or-more',
    completes: 'files',
  },
  summary: 'judge whether packages were signed by whom you expect',
  details: [
    'Judges each package without asking the network: looks for its bundle beside it and inside it, checks every signature, certificate, log entry and time in it, and compares the signer with the one that you name. Say who must have signed with --identity and --issuer, with --key, or with a policy file. Without one of them the answer is "signed by unknown" at best, and the command that would accept the signer is printed.',
    'Exit codes: 0 verified, 1 rejected, 2 wrong usage, 3 no verdict could be reached, 4 a log misbehaved, 5 unsigned, 6 signed by unknown. Of several packages the code that most needs attention wins.',
  ],
  flags: [
    {
      name: 'identity',
      kind: 'text',
      value: 'WHO',
      describe: 'the e-mail address, workflow or other name in the certificate, exactly; needs --issuer',
      group: WHO,
    },
    {
      name: 'issuer',
      kind: 'text',
      value: 'URL',
      describe: 'the OpenID Connect issuer that vouched for the signer, exactly',
      group: WHO,
    },
    {
      name: 'identity-regexp',
      kind: 'text',
      value: 'PATTERN',
      describe: 'a pattern for the identity; it must match from the first to the last character',
      group: WHO,
    },
    {
      name: 'issuer-regexp',
      kind: 'text',
      value: 'PATTERN',
      describe: 'a pattern for the issuer; it must match from the first to the last character',
      group: WHO,
    },
    {
      name: 'key',
      kind: 'list',
      value: 'FILE',
      describe: 'a public key (PEM or DER) that must have signed; may be repeated, any of them will do',
      group: WHO,
      completes: 'files',
    },
    {
      name: 'policy',
      kind: 'text',
      value: 'FILE',
      describe: 'a policy file (sigward.yaml) in place of the flags above',
      group: WHO,
      completes: 'files',
    },
    {
      name: 'package',
      kind: 'text',
      value: 'PURL',
      describe: 'what the package must be, such as pkg:npm/left-pad@1.3.0',
      group: 'What is judged:',
    },
    {
      name: 'bundle',
      kind: 'list',
      value: 'FILE',
      describe: 'use this bundle and do not look for others; may be repeated',
      group: 'What is judged:',
      completes: 'files',
    },
    TRUSTED_ROOT_FLAG,
    { name: 'explain', kind: 'switch', describe: 'list every check and what it saw', group: 'Output:' },
    JSON_FLAG,
    {
      name: 'quiet',
      kind: 'switch',
      describe: 'print one line for each package that needs attention, nothing for the others',
      group: 'Output:',
    },
    { name: 'no-progress', kind: 'switch', describe: 'draw no progress bar', group: 'Output:' },
  ],
  examples: [
    [
      'sigward verify app.tgz --identity dev@example.com --issuer https://accounts.example.com',
      'a package with its bundle beside it, signed by a person',
    ],
    [
      'sigward verify app.jar --bundle app.jar.sigstore.json --key release.pub',
      'a bundle by name, signed with a key',
    ],
    ['sigward verify downloads/ --policy sigward.yaml', 'everything in a folder, by a policy file'],
    ['sigward verify app.wasm', 'who signed this? never answers "verified"'],
  ],
}

const inspect: CommandDefinition = {
  name: 'inspect',
  positional: {
    name: 'file',
    describe: 'a bundle, trusted root, checkpoint, certificate, timestamp, package, statement or public key',
    count: 'one',
    completes: 'files',
  },
  summary: 'say what a file says, believing nothing of it',
  details: [
    'Finds out by its content what the file is and shows what it says, in words. Nothing is checked: use verify for that. A broken file is shown as far as it can be read, and the exit code is 3.',
  ],
  flags: [JSON_FLAG],
  examples: [
    ['sigward inspect left-pad-1.3.0.tgz.sigstore.json', 'who claims to have signed, when, in which log'],
    ['sigward inspect trusted_root.json', 'the keys of an instance and how long each is good'],
  ],
}

const explain: CommandDefinition = {
  name: 'explain',
  positional: {
    name: 'code',
    describe: 'the code of a failure or an error, such as SUBJECT_NOT_FOUND',
    count: 'optional',
    completes: 'codes',
  },
  summary: 'explain a code: what was checked, why, how it breaks, what to do',
  details: ['Without a code: the list of all codes.'],
  flags: [JSON_FLAG],
  examples: [['sigward explain SUBJECT_NOT_FOUND', 'why a bundle can be in order and about another file']],
}

const trust: CommandDefinition = {
  name: 'trust',
  positional: {
    name: 'action',
    describe: 'show: the roots in use, their keys, for how long each is good, and how old they are',
    count: 'one',
    completes: ['show'],
  },
  summary: 'show the roots on which every verdict rests',
  details: [],
  flags: [TRUSTED_ROOT_FLAG, JSON_FLAG],
  examples: [['sigward trust show', 'the root that came with this release of sigward']],
}

const completion: CommandDefinition = {
  name: 'completion',
  positional: {
    name: 'shell',
    describe: 'the shell that shall complete',
    count: 'one',
    completes: ['bash', 'zsh', 'fish'],
  },
  summary: 'print a completion script for bash, zsh or fish',
  details: [],
  flags: [],
  examples: [
    ['sigward completion bash > ~/.local/share/bash-completion/completions/sigward', 'for bash'],
    ['sigward completion fish > ~/.config/fish/completions/sigward.fish', 'for fish'],
    ['eval "$(sigward completion zsh)"', 'for zsh, in ~/.zshrc after compinit'],
  ],
}

export const COMMANDS: readonly CommandDefinition[] = [verify, inspect, explain, trust, completion]

export function findCommand(name: string | undefined): CommandDefinition | undefined {
  return COMMANDS.find((command) => command.name === name)
}

/** `sigward verify <file|directory|digest..>`, as yargs writes it too. */
export function synopsis(command: CommandDefinition): string {
  const { name, positional } = command
  if (positional === undefined) return name
  const many = positional.count === 'one-or-more' ? '..' : ''
  return positional.count === 'optional'
    ? `${name} [${positional.name}]`
    : `${name} <${positional.name}${many}>`
}
