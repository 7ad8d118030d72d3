import { InvalidArgumentError, Option, type Command } from 'commander'
import { absolutePath } from './leaf.ts'
import type { RestoreOrder } from '../../core/points/restore-order.ts'
import type { OfferedChoice } from '../../../shared/engine-protocol.ts'
import {
  CardMapping,
  flagText,
  mergeChoices,
  PlainChoice,
  RestoreChoice,
  type RestoreChoice as Choice
} from '../../../shared/model/restore-choice.ts'
import { restoreLine } from '../../../shared/restore-line.ts'

/** As commander keeps them: a list for each flag that can be given several times. */
export interface ChoiceOptions {
  /** A folder for all disks, or for one of them. */
  readonly diskDir?: readonly (string | Choice)[]
  readonly mapNetwork?: readonly Choice[]
  readonly mapBridge?: readonly Choice[]
  readonly mapDevice?: readonly Choice[]
  readonly drop?: readonly Choice[]
  readonly listen?: Choice
  readonly memory?: Choice
  readonly autoPorts?: boolean
  readonly dropPins?: boolean
  readonly dropHugepages?: boolean
  readonly hostMachine?: boolean
  readonly hostCpu?: boolean
  readonly spiceToVnc?: boolean
  readonly remembered?: boolean
}

const CARDS: Readonly<Record<CardMapping, string>> = {
  'map-network': 'put network cards that are on network OLD on NEW: NETWORK, bridge:BRIDGE, device:DEVICE or none',
  'map-bridge': 'the same for cards that are on bridge OLD: BRIDGE, network:NETWORK, device:DEVICE or none',
  'map-device': 'the same for cards that are on device OLD of the host (macvtap): DEVICE, network:…, bridge:… or none'
}

const PLAIN: Readonly<Record<PlainChoice, string>> = {
  'auto-ports': 'let libvirt choose the ports of screens; serial ports become terminals (virsh console)',
  'drop-pins': 'bind it to no processor and no memory node of the host',
  'drop-hugepages': 'make its RAM of ordinary pages',
  'host-machine': 'boot it with the newest machine type of its family that the host knows',
  'host-cpu': 'boot it with the CPU of the host',
  'spice-to-vnc': 'boot it with a VNC screen, and nothing of SPICE'
}

/** Where the host is not as the VM asks: the check says which of these are an answer. */
export function addChoiceOptions(command: Command): Command {
  command.addOption(
    new Option(
      '--disk-dir <DIR>',
      'folder on the host for the disks, or for one of them: vda=/srv/vms (repeatable)'
    ).argParser(foldered)
  )
  for (const kind of CardMapping.options)
    command.addOption(
      new Option(`--${kind} <OLD=NEW>`, `${CARDS[kind]} (repeatable)`).argParser(gathered(mapped(kind)))
    )
  command
    .addOption(
      new Option('--drop <DEVICE>', 'leave out a device, as the check names it (repeatable)').argParser(
        gathered(dropped)
      )
    )
    .option(
      '--listen <ADDRESS>',
      'what listens on an address that the host does not have listens on this one',
      listened
    )
    .option('--memory <MIB>', 'boot it with so much RAM', sized)
  for (const kind of PlainChoice.options) command.option(`--${kind}`, PLAIN[kind])
  return command.option('--no-remembered', 'leave aside what was chosen at earlier restores to the host')
}

const gathered =
  (parse: (text: string) => Choice) =>
  (text: string, before: readonly Choice[] = []): Choice[] => [...before, parse(text)]

function understood(choice: unknown, wanted: string): Choice {
  const read = RestoreChoice.safeParse(choice)
  if (!read.success) throw new InvalidArgumentError(wanted)
  return read.data
}

/** The last `=` counts: names of networks may hold one, what they are put on seldom does. */
const mapped =
  (kind: CardMapping) =>
  (text: string): Choice => {
    const at = text.lastIndexOf('=')
    return understood(
      { kind, from: text.slice(0, Math.max(0, at)), to: text.slice(at + 1) },
      'OLD=NEW, such as lan=default.'
    )
  }

const foldered = (text: string, before: readonly (string | Choice)[] = []): (string | Choice)[] => {
  const at = text.startsWith('/') ? -1 : text.indexOf('=')
  const dir = absolutePath(text.slice(at + 1))
  return [...before, at < 1 ? dir : { kind: 'disk-dir', disk: text.slice(0, at), dir }]
}

/** The folder for all disks that have none of their own. */
export const diskDirOf = ({ diskDir = [] }: ChoiceOptions): string | undefined =>
  diskDir.findLast((each) => typeof each === 'string')

const dropped = (device: string): Choice => understood({ kind: 'drop', device }, 'A device as the check names it.')
const listened = (address: string): Choice => understood({ kind: 'listen', address }, 'An address, such as 127.0.0.1.')
const sized = (text: string): Choice => understood({ kind: 'memory', mib: Number(text) }, 'Whole MiB, such as 4096.')

/** What was chosen on the command line. */
export function choicesOf(options: ChoiceOptions): Choice[] {
  const plain = PlainChoice.options.filter((kind) => options[KEYS[kind]] === true).map((kind) => ({ kind }))
  return [
    ...(options.mapNetwork ?? []),
    ...(options.mapBridge ?? []),
    ...(options.mapDevice ?? []),
    ...(options.drop ?? []),
    ...(options.diskDir ?? []).filter((each) => typeof each !== 'string'),
    ...[options.listen, options.memory].filter((choice) => choice !== undefined),
    ...plain
  ]
}

const KEYS = {
  'auto-ports': 'autoPorts',
  'drop-pins': 'dropPins',
  'drop-hugepages': 'dropHugepages',
  'host-machine': 'hostMachine',
  'host-cpu': 'hostCpu',
  'spice-to-vnc': 'spiceToVnc'
} as const satisfies Record<PlainChoice, keyof ChoiceOptions>

/** The same restore with the first choice of everything that stands in the way, to paste. */
export function lineWith(
  { point, to, mode, copy, replace, diskDir, attachDisks = [], allow = [], remembered, choices = [] }: RestoreOrder,
  offers: readonly Choice[]
): string {
  return restoreLine({
    point: point.manifest.id,
    to,
    ...(copy === undefined ? { mode } : { mode: 'copy', newName: copy.name, start: mode !== 'define' }),
    replace,
    diskDir,
    attachDisks,
    allow,
    remembered: remembered?.length !== 0,
    choices: mergeChoices(choices, offers)
  })
}

/** `--auto-ports  let libvirt choose its ports`, one a line, to paste. */
export const offerLines = (offers: readonly OfferedChoice[]): string[] =>
  offers.map(({ label, choice }) => `${flagText(choice)}  (${label})`)
