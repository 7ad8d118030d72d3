import * as z from 'zod'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { listSecrets, secretNamed, type Secret } from '../../libvirt/secrets.ts'
import { Uuid } from '../../shared/model/ids.ts'
import type { Shell } from '../../shared/shell.ts'
import type { Checklist } from './checklist.ts'
import type { RestorePlan } from './restore-plan.ts'

/** Without its secret no encrypted disk is opened, and the VM does not start. A secret itself is in no point. */
export async function checkSecrets(shell: Shell, plan: RestorePlan, host: string, list: Checklist): Promise<void> {
  const needed = neededBy(plan)
  if (needed.size === 0) return
  const here = await listSecrets(shell)
  const missing = [...needed].filter(([name]) => secretNamed(here, name) === undefined)
  if (missing.length === 0) list.ok('secrets', 'the secrets that its encrypted devices need are here')
  for (const [name, device] of missing) {
    const text = `${device} is encrypted, and the secret that opens it (${described(name, host)}) is not on this host`
    if (plan.mode === 'define') list.warning('secrets', `${text}: the VM does not start without it`)
    else list.problem('secrets', text, adviceFor(name))
  }
}

/** By what the VM that comes will have: each secret, and the device that it opens. */
function neededBy({ definition, memoryXml, bootDefinition }: RestorePlan): Map<string, string> {
  const needed = new Map<string, string>()
  for (const xml of [definition, memoryXml, bootDefinition].filter((each) => each !== undefined)) {
    const { disks, tpmSecrets } = parseDomain(xml)
    for (const { target, secrets } of disks) for (const name of secrets) needed.set(name, `Disk ${target}`)
    for (const name of tpmSecrets) needed.set(name, 'The TPM')
  }
  return needed
}

const HostFile = z.object({ secrets: z.array(z.object({ uuid: z.string(), usage: z.string() })).max(256) })

/** What it was for, where the point's `host.json` tells. */
function described(name: string, host: string): string {
  const usage = secretNamed(secretsIn(host), name)?.usage ?? ''
  return usage === '' || usage === name ? name : `${name}, for ${usage}`
}

function secretsIn(host: string): readonly Secret[] {
  try {
    return HostFile.parse(JSON.parse(host)).secrets
  } catch {
    return []
  }
}

function adviceFor(name: string): string {
  const uuid = Uuid.safeParse(name).success ? name : 'UUID'
  const which = uuid === name ? '' : ` (virsh secret-list tells its UUID)`
  return `bring it here from where the VM was: there "virsh secret-dumpxml ${uuid}" into a file${which}, here "virsh secret-define" with that file and "virsh secret-set-value ${uuid}"; or restore with --mode define and start it later`
}
