import type { Guest, GuestOptions } from './guest.ts'
import type { LabHost } from './host.ts'
import type { Lab } from './lab.ts'
import { LabError } from './run.ts'

/** The options of `guest add` as the command line delivers them. */
export interface GuestFlags {
  readonly ram?: string | undefined
  readonly disks?: string | undefined
  readonly 'disk-size'?: string | undefined
  readonly filler?: string | undefined
  readonly raw?: boolean | undefined
  readonly rewrite?: string | undefined
  readonly agent?: boolean | undefined
  readonly checking?: boolean | undefined
  readonly tick?: string | undefined
  readonly vcpus?: string | undefined
  readonly network?: string | undefined
  readonly uuid?: string | undefined
}

/** `guest VERB HOST [NAME]`, where NAME may also be a UUID. */
export async function runGuestCommand(lab: Lab, words: readonly string[], flags: GuestFlags): Promise<void> {
  const [verb = '', hostName = '', name = ''] = words
  const host = lab.host(hostName)
  if (verb === 'add') return addGuest(host, name, flags)
  if (verb === 'list') return print((await host.must(['virsh', 'list', '--all', '--name', '--uuid'])).trim())
  const act = actions[verb]
  if (!act) throw new LabError(`no command guest ${verb}`)
  await act(await host.guest(name))
}

const actions: Readonly<Record<string, (guest: Guest) => Promise<unknown>>> = {
  start: (guest) => guest.start(),
  destroy: (guest) => guest.destroy(),
  undefine: (guest) => guest.undefine(),
  verify: async (guest) => print(JSON.stringify(await guest.requestVerify())),
  ticks: (guest) => print(guest.log().trimEnd().split('\n').slice(-20).join('\n'))
}

async function addGuest(host: LabHost, name: string, flags: GuestFlags): Promise<void> {
  if (name === '') throw new LabError('guest add HOST NAME: the name is missing')
  const guest = await host.defineGuest(guestOptions(name, flags))
  await guest.start()
  await guest.waitForTick(1)
  await print(`${guest.uuid} ${guest.name} ticks on ${host.name}`)
}

function guestOptions(name: string, flags: GuestFlags): GuestOptions {
  const [mib, mibPerSecond] = (flags.rewrite ?? '').split(':').map(Number)
  return {
    name,
    uuid: flags.uuid,
    ramMiB: numberOf(flags.ram),
    vcpus: numberOf(flags.vcpus),
    disks: flags.disks === '2' ? 2 : 1,
    diskMiB: numberOf(flags['disk-size']),
    fillerMiB: numberOf(flags.filler),
    format: flags.raw ? 'raw' : 'qcow2',
    tickMs: numberOf(flags.tick),
    rewrite: mib && mibPerSecond ? { mib, mibPerSecond } : undefined,
    agent: flags.agent,
    checking: flags.checking,
    network: flags.network
  }
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new LabError(`not a number: ${text}`)
  return Number(text)
}

function print(text: string): Promise<void> {
  console.log(text)
  return Promise.resolve()
}
