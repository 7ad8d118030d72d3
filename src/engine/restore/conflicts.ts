import { existsSync } from 'node:fs'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { domainByName, domainInfo, domainState, domainXml } from '../../libvirt/domains.ts'
import { tpmFolder } from '../../libvirt/host.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import type { Checklist } from './checklist.ts'
import type { DisplacedVm, Rename } from './restore-plan.ts'

const MANAGED_SAVE = '/var/lib/libvirt/qemu/save'

/** VMs of the point's UUID or name: each must make way, which only `--replace` allows. */
export async function findConflicts(
  shell: Shell,
  spec: RestoreSpec,
  jobId: string,
  manifest: Manifest,
  list: Checklist
): Promise<DisplacedVm[]> {
  const { uuid, name } = manifest.vm
  const byUuid = (await domainState(shell, uuid)) === undefined ? undefined : uuid
  const byName = await domainByName(shell, name)
  const uuids = [...new Set([byUuid, byName].filter((each) => each !== undefined))]
  const displaced: DisplacedVm[] = []
  for (const each of uuids) {
    const vm = await displacedVm(shell, each, jobId)
    displaced.push(vm)
    const because = each === uuid ? 'uuid' : 'name'
    if (spec.replace)
      list.warning(
        'existing VM',
        `VM ${vm.name} will be stopped and replaced; its disks and definition are kept aside`,
        {
          uuid: each,
          name: vm.name
        }
      )
    else
      list.problem(
        'existing VM',
        `a VM of this ${because} exists here: ${vm.name}`,
        'restore with --replace, or to another host',
        {
          kind: 'vm-exists',
          name: vm.name,
          uuid: each,
          host: spec.hostName,
          because
        },
        { uuid: each, name: vm.name }
      )
  }
  if (uuids.length === 0) list.ok('existing VM', 'no VM of this UUID or name')
  return displaced
}

async function displacedVm(shell: Shell, uuid: string, jobId: string): Promise<DisplacedVm> {
  const state = await domainState(shell, uuid)
  const definition = await domainXml(shell, uuid, { inactive: true, securityInfo: true })
  const domain = parseDomain(definition)
  const info = await domainInfo(shell, uuid)
  const images = domain.disks.flatMap(({ type, device, source, readOnly, shareable }) =>
    type === 'file' && device === 'disk' && !readOnly && !shareable && source !== undefined ? [source] : []
  )
  const stateFiles = [domain.nvram?.path, `${MANAGED_SAVE}/${domain.name}.save`, tpmFolder(uuid)]
  const own = stateFiles.filter((path) => path !== undefined).filter(existsSync)
  return {
    uuid,
    name: domain.name,
    wasActive: state !== undefined && state.state !== 'shut off',
    autostart: info.autostart,
    definition,
    renames: [...images, ...own].map((from) => asideOf(from, jobId))
  }
}

/** Beside the original: what is kept aside is renamed, never copied. */
export const asideOf = (path: string, jobId: string): Rename => ({ from: path, to: `${path}.kept-${jobId}` })
