import { Command } from 'commander'
import { listVms, type VmList } from '../../../core/hosts/list-vms.ts'
import { decideAutostart } from '../../../core/hosts/vm-autostart.ts'
import { formatBytes } from '../../../../shared/format.ts'
import { sessionVmsText } from '../../../../shared/session-vms.ts'
import { autostartLine, heldText, twinNow } from '../../../../shared/held-autostart.ts'
import type { Domain } from '../../../../shared/model/host.ts'
import { EXIT } from '../exit-codes.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import { table } from '../table.ts'
import { hostAndVm } from './backup.ts'
import { unreachableJson } from '../json-views.ts'

export function vmCommand(perform: Perform): Command {
  return new Command('vm').description('The VMs on the hosts').addCommand(list(perform)).addCommand(autostart(perform))
}

const list = (perform: Perform): Command =>
  leaf('list [HOST]', 'VMs of all hosts, or of one', ['vm list', 'vm list alpha --json']).action(
    (host: string | undefined, options: ActionOptions) =>
      perform(options, async ({ core, out }) => {
        const vms = await listVms(core, host)
        out.line(vmText(vms))
        for (const { host, inventory } of vms.hosts) {
          const text = sessionVmsText(inventory.sessionVms)
          if (text !== undefined) out.line(`${host}: ${text}`)
          inventory.limits?.forEach((limit) => out.line(`${host}: ${limit}`))
        }
        noteUnreachable(out, vms.unreachable)
        out.result({
          vms: vmsJson(vms),
          sessionVms: sessionVmsJson(vms),
          unreachable: unreachableJson(vms.unreachable)
        })
        return exitOfListing(vms.unreachable, host !== undefined)
      })
  )

const autostart = (perform: Perform): Command =>
  leaf('autostart <HOST/VM>', 'Have a VM start with its host, where a restore has left that off', [
    'vm autostart beta/web1',
    'vm autostart beta/web1 --off'
  ])
    .option('--off', 'it stays off, and nobody is reminded of it')
    .action((target: string, options: ActionOptions & { readonly off?: boolean }) => {
      const { host, vm } = hostAndVm(target)
      const on = options.off !== true
      perform(options, async ({ core, out }) => {
        const { name, uuid } = await decideAutostart(core, host, vm, on)
        out.line(`${name} ${on ? 'starts' : 'does not start'} with ${host} from now on.`)
        out.result({ host, vm: name, vmUuid: uuid, autostart: on })
        return EXIT.done
      })
    })

/** The list, and below it what points of these VMs will not hold, and what is left to be done: said before it is needed. */
export const vmText = (vms: VmList): string[] => [...vmTable(vms), ...limitLines(vms)]

function vmTable({ hosts }: VmList): string[] {
  const rows = hosts.flatMap(({ host, inventory }) =>
    inventory.domains.map((vm) => [
      `${host}/${vm.name}`,
      vm.state,
      formatBytes(vm.ramBytes),
      diskSummary(vm.disks),
      vm.agent,
      vm.uuid
    ])
  )
  return rows.length === 0 ? ['No VMs.'] : table(['VM', 'STATE', 'RAM', 'DISKS', 'AGENT', 'UUID'], rows)
}

const diskSummary = (disks: VmList['hosts'][number]['inventory']['domains'][number]['disks']): string =>
  disks
    .filter(({ device }) => device === 'disk')
    .map(({ target, capacityBytes }) =>
      capacityBytes === undefined ? target : `${target} ${formatBytes(capacityBytes)}`
    )
    .join(', ')

const limitLines = ({ hosts, looked }: VmList): string[] =>
  hosts.flatMap(({ host, inventory }) =>
    inventory.domains.flatMap((vm) => {
      const lines = [...vm.limits.map((limit) => `${limit}.`), ...heldLines(host, vm, looked)]
      return lines.length === 0 ? [] : ['', `${host}/${vm.name}:`, ...lines.map((line) => `  ${line}`)]
    })
  )

function heldLines(host: string, { uuid, name, heldAutostart }: Domain, looked: VmList['looked']): string[] {
  if (heldAutostart === undefined) return []
  const twin = twinNow(heldAutostart, uuid, host, looked)
  return [
    `${heldText(twin)}.`,
    `  On: ${autostartLine(host, name)}`,
    `  Off for good: ${autostartLine(host, name, '--off')}`
  ]
}

const vmsJson = ({ hosts, looked }: VmList): unknown[] =>
  hosts.flatMap(({ host, inventory }) =>
    inventory.domains.map(({ heldAutostart, ...vm }) => ({
      host,
      ...vm,
      ...(heldAutostart && { autostartHeld: twinNow(heldAutostart, vm.uuid, host, looked) })
    }))
  )

const sessionVmsJson = ({ hosts }: VmList): unknown[] =>
  hosts.flatMap(({ host, inventory }) => (inventory.sessionVms ?? []).map((vm) => ({ host, ...vm })))
