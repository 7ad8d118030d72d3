import type { RestoreSpec, VmCopy } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { vmNameProblem } from '../../shared/vm-name.ts'
import type { DomainXml } from '../../libvirt/domain-xml.ts'
import { domainByName, domainState } from '../../libvirt/domains.ts'
import type { Checklist } from './checklist.ts'

/** A second VM beside the first replaces nothing: its name must be free. Says what it shares with the first, and what not. */
export async function checkCopy(
  shell: Shell,
  copy: VmCopy,
  { mode }: RestoreSpec,
  domain: DomainXml,
  list: Checklist
): Promise<void> {
  checkName(copy, list)
  await checkFree(shell, copy, list)
  if (mode === 'resume')
    list.problem('mode', 'RAM fits only the VM that it was taken of', 'boot the copy, or define it without a start')
  if (domain.interfaces.length > 0)
    list.ok('network cards', 'they get new MAC addresses: by DHCP the copy has another address than the original')
  list.ok(
    'identity',
    'inside it is the same machine: host name, keys, and an address that is set by hand, are those of the original'
  )
  for (const device of domain.devicesWithoutSavableState)
    list.warning(
      'devices',
      `The copy has ${device} as the original has; where only one VM can, the copy does not start while that runs`
    )
}

function checkName({ name }: VmCopy, list: Checklist): void {
  const problem = vmNameProblem(name)
  if (problem !== undefined) list.problem('name', `the name "${name}" ${problem}`, 'choose another name for the copy')
}

async function checkFree(shell: Shell, { name, uuid }: VmCopy, list: Checklist): Promise<void> {
  if ((await domainByName(shell, name)) !== undefined)
    list.problem('existing VM', `a VM called ${name} exists here`, 'choose another name for the copy')
  else if ((await domainState(shell, uuid)) !== undefined)
    list.problem('existing VM', `a VM with the UUID ${uuid} exists here`, 'make the copy again: it gets another UUID')
  else list.ok('existing VM', `no VM here is called ${name}`)
}
