import * as z from 'zod'
import { quoted } from '../quoted.ts'

const Name = z.string().min(1).max(4096)

/** Network cards that the definition has on a network of libvirt, on a bridge, or right on a device of the host (macvtap). */
export const CardMapping = z.enum(['map-network', 'map-bridge', 'map-device'])
export type CardMapping = z.infer<typeof CardMapping>

/** Each is an answer as a whole: there is nothing to say with it. */
export const PlainChoice = z.enum([
  'auto-ports',
  'drop-pins',
  'drop-hugepages',
  'host-machine',
  'host-cpu',
  'spice-to-vnc'
])
export type PlainChoice = z.infer<typeof PlainChoice>

/**
 * What the operator has decided where a host is not what a VM asks for: one argument of `restore`. What is chosen for
 * more than the one VM is remembered for the host.
 */
export const RestoreChoice = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: CardMapping,
    from: Name,
    /** A name of the same sort; else `network:lan`, `bridge:br0`, `device:eth0`. `none`: the cards are unplugged. */
    to: Name
  }),
  z.strictObject({ kind: z.literal('listen'), address: Name }),
  z.strictObject({
    kind: z.literal('drop'),
    /** As the check names it: `usb:1d6b:fffe`, `pci:0000:01:00.0`, `folder:/srv/share`, `file:/var/log/x.log`. */
    device: Name
  }),
  /** The folder on the host for one disk of the point. */
  z.strictObject({ kind: z.literal('disk-dir'), disk: Name, dir: Name.regex(/^\//) }),
  z.strictObject({ kind: z.literal('memory'), mib: z.number().int().positive() }),
  z.strictObject({ kind: PlainChoice })
])
export type RestoreChoice = z.infer<typeof RestoreChoice>

export const RestoreChoices = z.array(RestoreChoice).max(200)

/** What `restore` is told with it: `['--map-network', 'lan=default']`. */
export function flagOf(choice: RestoreChoice): readonly [string, ...string[]] {
  const flag = `--${choice.kind}`
  if ('from' in choice) return [flag, `${choice.from}=${choice.to}`]
  if ('address' in choice) return [flag, choice.address]
  if ('disk' in choice) return [flag, `${choice.disk}=${choice.dir}`]
  if ('device' in choice) return [flag, choice.device]
  return 'mib' in choice ? [flag, String(choice.mib)] : [flag]
}

/** The same, as one pastes it into a shell. */
export const flagText = (choice: RestoreChoice): string => forShell(flagOf(choice))

/** Words of a command line, each as it is. */
export const forShell = (words: readonly string[]): string => words.map(asWord).join(' ')

const asWord = (word: string): string => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : quoted(word))

/** What a later choice takes the place of. */
function subjectOf(choice: RestoreChoice): string {
  if ('from' in choice) return `${choice.kind} ${choice.from}`
  if (choice.kind === 'disk-dir') return `disk-dir ${choice.disk}`
  return choice.kind === 'drop' ? `drop ${choice.device}` : choice.kind
}

/** The later ones win; each thing is decided once. */
export const mergeChoices = (before: readonly RestoreChoice[], later: readonly RestoreChoice[]): RestoreChoice[] => [
  ...new Map([...before, ...later].map((choice) => [subjectOf(choice), choice])).values()
]

/** What a network card is on, or is put on instead. */
export type CardTarget =
  { readonly on: 'network' | 'bridge' | 'device'; readonly name: string } | { readonly on: 'none' }

const SORTS = { 'map-network': 'network', 'map-bridge': 'bridge', 'map-device': 'device' } as const

/** Where cards go by a mapping: `default` is a network where networks are mapped. */
export function cardTargetOf({ kind, to }: { readonly kind: CardMapping; readonly to: string }): CardTarget {
  if (to === 'none') return { on: 'none' }
  const [, sort, name] = /^(network|bridge|device):(.+)$/s.exec(to) ?? []
  if (name === undefined) return { on: SORTS[kind], name: to }
  return { on: sort === 'network' || sort === 'bridge' ? sort : 'device', name }
}

/** The mapping that puts cards of one sort on a target. */
export function mappingTo(kind: CardMapping, from: string, target: CardTarget): RestoreChoice {
  if (target.on === 'none') return { kind, from, to: 'none' }
  const isPlain = target.on === SORTS[kind] && target.name !== 'none' && !/^(network|bridge|device):/.test(target.name)
  return { kind, from, to: isPlain ? target.name : `${target.on}:${target.name}` }
}
