import type { Element } from '@xmldom/xmldom'
import { HeldAutostart } from '../shared/model/twin-vm.ts'
import type { Uuid } from '../shared/model/ids.ts'
import type { Shell } from '../shared/shell.ts'
import { domainState } from './domains.ts'
import { virsh } from './virsh.ts'
import { attribute, childAt, elementsIn } from './xml.ts'

/**
 * Noted in the VM's own definition, where libvirt keeps `<metadata>` of programs by their namespace: whoever asks its host
 * sees it, and it goes as the VM goes.
 */
const NAMESPACE = 'urn:stillpoint:held-autostart'

/** What the definition says. Undefined: nothing, or nothing that makes sense. */
export function heldAutostartIn(root: Element): HeldAutostart | undefined {
  const note = elementsIn(childAt(root, 'metadata')).find(({ namespaceURI }) => namespaceURI === NAMESPACE)
  if (note === undefined) return undefined
  return HeldAutostart.safeParse({ host: attribute(note, 'host'), machineId: attribute(note, 'machine') ?? '' }).data
}

/** Writes the note, in the definition that runs and in that of the next start. Undefined: takes it out, if there is one. */
export async function noteHeldAutostart(shell: Shell, uuid: Uuid, held: HeldAutostart | undefined): Promise<void> {
  const isOff = (await domainState(shell, uuid))?.state === 'shut off'
  const change = held === undefined ? ['--remove'] : ['--key', 'stillpoint', '--set', noteOf(held)]
  await virsh(shell, ['metadata', uuid, '--uri', NAMESPACE, ...change, '--config', ...(isOff ? [] : ['--live'])])
}

const noteOf = ({ host, machineId }: HeldAutostart): string =>
  `<held host="${escaped(host)}" machine="${escaped(machineId)}"/>`

const escaped = (text: string): string => text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
