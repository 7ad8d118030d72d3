import { resolve } from 'node:path'
import { Command } from 'commander'
import { forgetHostKey } from '../../../core/hosts/forget-key.ts'
import { addHost, probeKnownHost, removeHost } from '../../../core/hosts/hosts.ts'
import { hostUrl, parseHostUrl } from '../../../core/hosts/host-url.ts'
import { readPolicies } from '../../../core/policies/read-policies.ts'
import { isUsable, type Probe } from '../../../core/hosts/probe-host.ts'
import { formatBytes } from '../../../../shared/format.ts'
import type { Inventory } from '../../../../shared/model/host.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { fingerprintOf } from '../connect-questions.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'

export function hostCommand(perform: Perform): Command {
  const host = new Command('host').description('The hosts that Stillpoint knows')
  for (const command of [add, list, remove, probe, forgetKey]) host.addCommand(command(perform))
  return host
}

interface AddOptions extends ActionOptions {
  readonly identity?: string
  readonly hostKey?: string
}

const add = (perform: Perform): Command =>
  leaf(
    'add <NAME> <URL>',
    'Connect to a host, look at it, put the engine there, remember it. URL: ssh://USER@ADDRESS[:PORT]',
    [
      'host add alpha ssh://root@192.0.2.10',
      'host add beta ssh://admin@beta.example.net:2222 --identity ~/.ssh/id_ed25519',
      'host add gamma ssh://root@192.0.2.12 --host-key SHA256:uNiVztksCsDhcc0u9e8BrP...'
    ]
  )
    .option('--identity <FILE>', 'private key to log in with')
    .option('--host-key <SHA256:…>', 'fingerprint that the host must show')
    .option('--accept-new', 'take the key of a host nobody has vouched for as it is')
    .action((name: string, url: string, options: AddOptions) =>
      perform(options, async (session) => {
        const added = await addHost(
          session.core,
          parseHostUrl(name, url, identityPath(options.identity)),
          wantedKey(options.hostKey)
        )
        showProbe(session, name, added.probe)
        session.out.line(
          `${name} is ${added.rebuilt ? 'back, as a rebuilt machine' : 'added'}. Next: stillpoint backup ${name}/VM`
        )
        const policies = await broughtBy(session, name)
        session.out.result({ host: added.record, rebuilt: added.rebuilt, checks: added.probe.items, policies })
        return hasWarnings(added.probe) ? EXIT.warnings : EXIT.done
      })
    )

/** The schedules that are on it already. Their stores are known from then on, and so are the points in them. */
async function broughtBy({ core, out }: Session, host: string): Promise<readonly string[]> {
  const said = await readPolicies(core, host).catch(() => undefined)
  const names = (said?.policies ?? []).map(({ policy }) => policy.name)
  if (names.length > 0) out.line(`It brought ${names.length === 1 ? 'a schedule' : 'schedules'}: ${names.join(', ')}`)
  return names
}

/** As seen from here; the rest of Stillpoint knows no current folder. */
const identityPath = (file: string | undefined): string | undefined =>
  file === undefined || file.startsWith('~/') ? file : resolve(file)

const wantedKey = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : fingerprintOf(text)

const list = (perform: Perform): Command =>
  leaf('list', 'The hosts that are known', ['host list', 'host list --json']).action((options: ActionOptions) =>
    perform(options, ({ core, out }) => {
      const { hosts } = core.settings.read()
      const rows = hosts.map((host) => [
        host.name,
        hostUrl({ address: host.address, user: host.user, port: host.port }),
        host.identityFile ?? ''
      ])
      out.line(
        hosts.length === 0
          ? 'No hosts yet. Add one: stillpoint host add NAME ssh://USER@ADDRESS'
          : table(['NAME', 'ADDRESS', 'IDENTITY'], rows)
      )
      out.result({ hosts })
      return Promise.resolve(EXIT.done)
    })
  )

const remove = (perform: Perform): Command =>
  leaf('remove <NAME>', 'Forget a host. Its VMs and points stay as they are', [
    'host remove alpha',
    'host remove alpha --clean'
  ])
    .option('--clean', 'first take the engine off the host, with everything of ours but the points')
    .action((name: string, options: ActionOptions & { clean?: boolean }) =>
      perform(options, async ({ core, out }) => {
        const removed = await removeHost(core, name, options.clean === true)
        for (const each of removed) out.line(`removed ${each}`)
        out.line(
          `${name} is forgotten.${options.clean === true ? '' : ' The engine is still on it (--clean takes it away).'}`
        )
        out.result({ host: name, removed })
        return EXIT.done
      })
    )

const probe = (perform: Perform): Command =>
  leaf('probe <NAME>', 'A checklist of what Stillpoint needs on a host; changes nothing there', [
    'host probe alpha'
  ]).action((name: string, options: ActionOptions) =>
    perform(options, async (session) => {
      const seen = await probeKnownHost(session.core, name)
      showProbe(session, name, seen)
      session.out.result({ host: name, usable: isUsable(seen), checks: seen.items, inventory: seen.inventory })
      return exitOfProbe(seen)
    })
  )

const forgetKey = (perform: Perform): Command =>
  leaf('forget-key <NAME>', 'Expect a new key of a host that was rebuilt', [
    'host forget-key alpha',
    'host add alpha ssh://root@192.0.2.10 --host-key SHA256:…'
  ]).action((name: string, options: ActionOptions) =>
    perform(options, async ({ core, out }) => {
      const forgotten = await forgetHostKey(core, name)
      const rest = 'If the old key is in ~/.ssh/known_hosts, take it out there too: ssh-keygen -R ADDRESS'
      out.line(
        forgotten === 0
          ? `No key of ${name} was written down here. ${rest}`
          : `The key of ${name} is forgotten. Add the host again, with the new one: stillpoint host add ${name} ssh://… --host-key SHA256:…`
      )
      out.result({ host: name, forgotten })
      return EXIT.done
    })
  )

const MARKS = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' } as const

function showProbe({ out }: Session, name: string, { items, inventory }: Probe): void {
  out.line(
    table(
      ['CHECK', 'STATE', 'WHAT'],
      items.map(({ check, state, text, fix }) => [check, MARKS[state], fix === '' ? text : `${text}. ${fix}`])
    )
  )
  if (inventory !== undefined) out.line(machineText(name, inventory))
}

/** By its name here, whatever it says of itself. */
export function machineText(name: string, { hostname, os, cpus, memoryBytes }: Inventory): string {
  const calls = hostname === name || hostname === '' ? '' : ` (calls itself ${hostname})`
  return `${name}${calls}: ${os}, ${cpus} CPUs, ${formatBytes(memoryBytes)} RAM`
}

const hasWarnings = ({ items }: Probe): boolean => items.some(({ state }) => state === 'warning')

function exitOfProbe(seen: Probe): ExitCode {
  if (!isUsable(seen)) return EXIT.failed
  return hasWarnings(seen) ? EXIT.warnings : EXIT.done
}
