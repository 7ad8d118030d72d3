import type { Lab } from './lab.ts'
import type { LabHost } from './host.ts'

interface GuestStatus {
  readonly uuid: string
  readonly name: string
  readonly state: string
}

/** What is up, for people or for programs. */
export async function labStatus(lab: Lab, form: 'text' | 'json' = 'text'): Promise<string> {
  const hosts = await Promise.all(lab.hosts.map(hostStatus))
  if (form === 'json') return JSON.stringify({ name: lab.name, identityFile: lab.identityFile, hosts }, undefined, 2)
  const lines = hosts.flatMap((host) => [
    `${host.name.padEnd(8)} ${host.address.padEnd(14)} ${host.state.padEnd(12)} ${host.base.padEnd(8)} ${host.hostKeySha256}`,
    ...host.guests.map((guest) => `  ${guest.name.padEnd(20)} ${guest.uuid} ${guest.state}`)
  ])
  return [`lab ${lab.name}, key ${lab.identityFile}`, ...lines].join('\n')
}

async function hostStatus(host: LabHost) {
  if (!host.isMade)
    return { name: host.name, base: '', address: '', hostKeySha256: '', state: 'incomplete', guests: [] }
  const { name, base, address, hostKeySha256 } = host
  const state = !host.isOn ? 'off' : host.isConnected ? 'on' : 'on, cut off'
  const guests = host.isOn ? await guestsOf(host) : []
  return { name, base, address, hostKeySha256, state, guests }
}

async function guestsOf(host: LabHost): Promise<GuestStatus[]> {
  const uuids = (await host.must(['virsh', '-q', 'list', '--all', '--uuid'])).split('\n').filter(Boolean)
  return Promise.all(
    uuids.map(async (uuid) => {
      const [state = '', name = ''] = (await host.must(['virsh', '-q', `domstate ${uuid}; domname ${uuid}`]))
        .split('\n')
        .filter(Boolean)
      return { uuid, name, state }
    })
  )
}
