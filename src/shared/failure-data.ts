import * as z from 'zod'
import { Bytes, ExitCode, Milliseconds } from './model/figures.ts'
import { safeText, shorten } from './safe-text.ts'

/**
 * What is in a failure of each kind: the one list of them. What comes over a wire or from a file is read by it, so that
 * whoever shows a failure finds strings where strings are due, none of them endless.
 */
const LONGEST_STORY = 16_384
const Text = z.string().overwrite((text) => shorten(text, 4096))
const Story = z.string().overwrite((text) => shorten(text, LONGEST_STORY))
/** What a program said last matters most. */
const Said = z.string().overwrite((text) => (text.length <= 16_384 ? text : `…${text.slice(-16_383)}`))
/** A line to type is whole, or it is none. */
const Line = z.string().max(65_536)

const MOST = 1000
/**
 * Characters of all entries of a list together, and of one within an entry of another. With its other texts a failure has some
 * 64 KiB, however many of each there are: it is held, told to every window and shown.
 */
const CHARACTERS = 36 << 10
const CHARACTERS_WITHIN = 15 << 10
const OF_REMARK = 300

/** The first of them, and in place of the others how many more there are: read once more it is the same. */
const list = <T extends z.ZodType>(of: T, more: (count: number) => z.input<T>, most = CHARACTERS) =>
  z.preprocess((value) => {
    if (!Array.isArray(value) || countWithin(value, MOST, most) === value.length) return value
    const kept = countWithin(value, MOST - 1, most - OF_REMARK)
    return [...(value as unknown[]).slice(0, kept), more(value.length - kept)]
  }, z.array(of))
/** The first of them, where nobody needs them all. */
const firstOf = <T extends z.ZodType>(of: T) =>
  z.preprocess(
    (value) => (Array.isArray(value) ? value.slice(0, countWithin(value, MOST, CHARACTERS)) : value),
    z.array(of)
  )

/** How many of the first come to no more than so many characters. */
function countWithin(entries: readonly unknown[], most: number, mostCharacters: number): number {
  let characters = 0
  for (const [n, entry] of entries.entries()) {
    characters += charactersOf(entry)
    if (n >= most || characters > mostCharacters) return n
  }
  return entries.length
}

/** As many as are left of it once it is read. */
function charactersOf(entry: unknown): number {
  if (typeof entry === 'string') return Math.min(entry.length, LONGEST_STORY)
  if (typeof entry !== 'object' || entry === null) return 0
  let characters = 0
  for (const value of Object.values(entry))
    if (Array.isArray(value)) characters += charactersWithin(value)
    else if (typeof value === 'string') characters += charactersOf(value)
  return characters
}

function charactersWithin(entries: readonly unknown[]): number {
  let characters = 0
  for (const entry of entries) {
    if (typeof entry === 'string') characters += entry.length
    if (characters > CHARACTERS_WITHIN) return CHARACTERS_WITHIN
  }
  return characters
}

const texts = list(Text, (count) => `and ${count} more`)
const TOO_MANY = 'they are too many to be listed here'

const OfVm = z.object({ vm: Text, detail: Story })
const OfPoint = z.object({ point: Text, file: Text, detail: Story })

/** What an engine may say: of its host, of the VMs and stores there, and of what was asked of it. */
const onHost = {
  usage: z.object({ message: Story }),
  'not-found': z.object({
    what: z.enum(['vm', 'point', 'job', 'disk', 'store', 'policy']),
    name: Text,
    where: Text.optional()
  }),
  'unsupported-host': z.object({
    host: Text,
    reason: Story,
    /** What mends it, where that is known. */
    fix: Story.optional()
  }),
  'missing-tool': z.object({ tool: Text }),
  'command-failed': z.object({ command: Story, exitCode: ExitCode.optional(), stderr: Said }),
  timeout: z.object({ what: Text, afterMs: Milliseconds }),
  'output-too-large': z.object({
    what: Text,
    limitBytes: Bytes,
    /** Whose engine answered at such length. */
    host: Text.optional()
  }),
  /** A host, file or image said something that does not parse. */
  'bad-output': z.object({ what: Text, detail: Story }),
  cancelled: z.object({ what: Text }),
  'vm-busy': z.object({ vm: Text, by: Text, since: Text }),
  'vm-state': z.object({ vm: Text, state: Text, wanted: Text }),
  /** Snapshots, chains or jobs that are not ours stand in the way. */
  'foreign-work': OfVm,
  /** A point without a disk would protect nothing. */
  'no-disks': z.object({
    vm: Text,
    leftOut: list(z.object({ target: Text, because: Text }), (count) => ({
      target: `${count} more`,
      because: TOO_MANY
    }))
  }),
  'state-not-savable': z.object({
    vm: Text,
    devices: texts,
    /** What libvirt or QEMU said, where the definition shows no such device. */
    because: Story.optional()
  }),
  'no-room': z.object({
    path: Text,
    forWhat: Text,
    neededBytes: Bytes,
    freeBytes: Bytes,
    /** Of what is free, this is for other jobs of the host. */
    claimedBytes: Bytes.optional(),
    /** And this stays free for its guests. */
    reserveBytes: Bytes.optional(),
    /** Points that the rules of their policy would let go: whoever needs the room may delete them. */
    deletable: firstOf(z.object({ point: Text, vm: Text, takenAt: Text, sizeBytes: Bytes })).optional(),
    /** Where they are, and nowhere else are they meant: the host, as it is called here, and its store. */
    host: Text.optional(),
    store: Text.optional()
  }),
  'too-busy': OfVm.extend({ budgetMs: Milliseconds }),
  'point-damaged': OfPoint,
  'point-unsafe': OfPoint,
  'point-format': OfPoint.omit({ file: true }),
  'point-exists': z.object({ point: Text, where: Text }),
  /** A restore, a check or a copy reads the point just now. */
  'point-busy': z.object({ point: Text }),
  /** Somebody else receives it there just now. */
  'point-arriving': z.object({ point: Text, by: Text, since: Text }),
  'vm-exists': z.object({ name: Text, uuid: Text, host: Text, because: z.enum(['name', 'uuid']) }),
  preflight: z.object({
    problems: list(z.object({ text: Story, fix: Story }), (count) => ({ text: `${count} more: ${TOO_MANY}`, fix: '' }))
  }),
  io: z.object({ path: Text, code: Text, detail: Story }),
  /** Another store lies at the place of the one that was there: not mounted, or swapped. */
  'store-changed': z.object({ store: Text, detail: Story }),
  /** Mail or webhook did not go through. */
  'not-told': z.object({ channel: z.enum(['mail', 'webhook']), detail: Story, fix: Story }),
  /** The engine died in the middle; recovery has put everything back, or says what is left. */
  interrupted: z.object({ job: z.enum(['backup', 'restore']), step: Text, leftover: Story.optional() }),
  bug: z.object({ reference: Text, message: Story })
}

/** What only this side may say: of the way to a host, of this computer, of what was typed here. */
const here = {
  'not-found': onHost['not-found'].extend({ what: z.enum(['host', ...onHost['not-found'].shape.what.options]) }),
  ambiguous: z.object({ what: z.enum(['vm', 'point', 'job', 'policy']), name: Text, candidates: texts }),
  'host-unreachable': z.object({ host: Text, reason: Story }),
  'host-key-unknown': z.object({
    host: Text,
    address: Text,
    keyType: Text,
    fingerprint: Text,
    /** It may have been known: this file of ours has a line that cannot be read, and may be of this host. */
    damagedIn: Text.optional()
  }),
  'host-key-changed': z.object({
    host: Text,
    address: Text,
    keyType: Text,
    fingerprint: Text,
    /** Where the key that was expected is written down: file and line. */
    knownIn: Text
  }),
  'host-key-revoked': z.object({ host: Text, address: Text, fingerprint: Text, knownIn: Text }),
  'auth-failed': z.object({ host: Text, user: Text, tried: texts }),
  'identity-unusable': z.object({ file: Text, reason: Story }),
  'connection-lost': z.object({
    host: Text,
    during: Text,
    /** It was ended from here. */
    reason: Story.optional()
  }),
  'login-shell': z.object({ host: Text, reason: Story }),
  'no-root': z.object({
    host: Text,
    user: Text,
    sudoersLine: Line,
    /** sudo is there and starts nothing without a terminal (requiretty). */
    wantsTerminal: z.literal(true).optional(),
    /** doas is there, in place of sudo, and lacks this line. */
    doasLine: Line.optional()
  }),
  'engine-version': z.object({ host: Text, theirs: Text, ours: Text }),
  /** An engine or runtime for hosts is not the one that this installation came with. `isUpdated`: all of that is another since. */
  'installation-changed': z.object({ path: Text, isUpdated: z.literal(true).optional() })
}

const Left = z.object({
  path: Text,
  because: Story,
  /** Shell lines that mend it, in their order. */
  mend: list(Line, (count) => `# ${count} more lines: ${TOO_MANY}`, CHARACTERS_WITHIN)
})
const lefts = list(Left, (count) => ({
  path: `what else is left (${count})`,
  because: 'it is too much to be listed here',
  mend: []
}))

type AsRead<T> = T extends readonly (infer Item)[]
  ? readonly AsRead<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: AsRead<T[K]> }
    : T
type KindsOf<Shapes extends Record<string, z.ZodType>> = {
  [K in keyof Shapes]: AsRead<{ kind: K } & z.output<Shapes[K]>>
}[keyof Shapes]

/** Something had to be left as it is, because nothing proves that it may go: its owner decides. */
interface LeftBehind {
  readonly kind: 'left-behind'
  readonly vm: string
  /** Why the job ended; undefined if it reached its purpose. */
  readonly after?: Failure
  readonly left: readonly AsRead<z.output<typeof Left>>[]
}

/** Why something that was asked for did not happen. The operator's words for each are in `failure-words.ts`. */
export type Failure = KindsOf<Omit<typeof onHost, keyof typeof here>> | KindsOf<typeof here> | LeftBehind

type Kinds = Readonly<Record<string, z.ZodType<object>>>

/** Why it ended is a plain failure, or what another had to leave: no chain without end. */
const after = { ...onHost, 'left-behind': z.object({ vm: Text, left: lefts }) }
const hostKinds: Kinds = {
  ...onHost,
  'left-behind': after['left-behind'].extend({ after: z.unknown().optional().transform(readAfter) })
}
const allKinds: Kinds = { ...hostKinds, ...here }

function readAfter(value: unknown): Failure | undefined {
  return value === undefined ? undefined : (readAs(after, value) ?? unreadable(value))
}

/** The failure that this is, as an engine may say it; undefined for what is none. Never throws. */
export const hostFailureIn = (value: unknown): Failure | undefined => readAs(hostKinds, value)

/** Whatever an engine said, as a failure. Never throws. */
export const hostFailureFrom = (value: unknown, who?: string): Failure => hostFailureIn(value) ?? unreadable(value, who)

/** Whatever this is, as a failure. Never throws. */
export const failureFrom = (value: unknown): Failure => readAs(allKinds, value) ?? unreadable(value)

/** A failure on its way to whoever shows it: what does not read as one becomes `bad-output`. */
export const FailureData = z.custom<Failure>().transform(failureFrom)

/** A failure that an engine told, or noted on its host: of the connection, or of this computer, it has nothing to say. */
export const HostFailureData = z.custom<Failure>().transform((value) => hostFailureFrom(value))

/** It may be anything: also what throws when it is looked at. */
function readAs(kinds: Kinds, value: unknown): Failure | undefined {
  try {
    const { kind } = value as { readonly kind?: unknown }
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return undefined
    const read = kinds[kind]?.safeParse(value)
    return read?.success === true ? ({ kind, ...read.data } as Failure) : undefined
  } catch {
    return undefined
  }
}

/** Who said it, where nobody knows who. */
export const UNREADABLE_BY = 'The host'

function unreadable(value: unknown, who = UNREADABLE_BY): Failure {
  const detail = `It failed, and says why in a form that is not known here: ${glimpseOf(value)}. A newer Stillpoint may know it.`
  return { kind: 'bad-output', what: who, detail }
}

/** Enough of it to be asked about. */
function glimpseOf(value: unknown): string {
  try {
    const text = JSON.stringify(value) as string | undefined // of what is no JSON there is none
    return safeText(shorten(text ?? 'nothing', 300))
  } catch {
    return 'nothing that can be written down'
  }
}
