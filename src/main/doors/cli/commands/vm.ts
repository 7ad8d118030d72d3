import { Command } from 'commander'
import { listVms, type VmList } from '../../../core/hosts/list-vms.ts'
import { formatBytes } from '../../../../shared/format.ts'
import { sessionVmsText } from '../../../../shared/session-vms.ts'
import { leaf } from '../leaf.ts'
import type { ActionOptions, Perform } from '../run-program.ts'
import { exitOfListing, noteUnreachable } from '../listing.ts'
import { table } from '../table.ts'
import { unreachableJson } from '../json-views.ts'

export function vmCommand(perform: Perform): Command {
  return new Command('vm').description('The VMs on the hosts').addCommand(list(perform))
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

/** The list, and below it what points of these VMs will not hold: said before one is needed. */
export const vmText = (vms: VmList): string => [vmTable(vms), ...limitLines(vms)].join('\n')

function vmTable({ hosts }: VmList): string {
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
  return rows.length === 0 ? 'No VMs.' : table(['VM', 'STATE', 'RAM', 'DISKS', 'AGENT', 'UUID'], rows)
}

const diskSummary = (disks: VmList['hosts'][number]['inventory']['domains'][number]['disks']): string =>
  disks
    .filter(({ device }) => device === 'disk')
    .map(({ target, capacityBytes }) =>
      capacityBytes === undefined ? target : `${target} ${formatBytes(capacityBytes)}`
    )
    .join(', ')

const limitLines = ({ hosts }: VmList): string[] =>
  hosts.flatMap(({ host, inventory }) =>
    inventory.domains.flatMap(({ name, limits }) =>
      limits.length === 0 ? [] : ['', `${host}/${name}:`, ...limits.map((limit) => `  ${limit}.`)]
    )
  )

const vmsJson = ({ hosts }: VmList): unknown[] =>
  hosts.flatMap(({ host, inventory }) => inventory.domains.map((vm) => ({ host, ...vm })))

const sessionVmsJson = ({ hosts }: VmList): unknown[] =>
  hosts.flatMap(({ host, inventory }) => (inventory.sessionVms ?? []).map((vm) => ({ host, ...vm })))
