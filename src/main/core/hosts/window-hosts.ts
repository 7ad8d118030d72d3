import { HostLogin, type ProbeView } from '../../../shared/views/host-view.ts'
import type { Core } from '../core.ts'
import { factsOf } from '../live/live-hosts.ts'
import type { HostAddress } from '../ssh/host-connection.ts'
import { addressOf } from './connections.ts'
import { forgetHostKey } from './forget-key.ts'
import { requireHost } from './host-book.ts'
import { hostUrl, parseHostUrl } from './host-url.ts'
import { addHost } from './hosts.ts'
import { isUsable, probeHost } from './probe-host.ts'

/** Checked part by part, as what is typed in a terminal is. @throws `usage` with what is wrong */
function addressFrom({ name, address, user, port, identityFile }: HostLogin): HostAddress {
  const blank = (text: string | undefined): string | undefined => (text?.trim() === '' ? undefined : text?.trim())
  const login = { address: address.trim(), user: blank(user), port }
  return parseHostUrl(name.trim(), hostUrl(login), blank(identityFile))
}

/** Connects and looks; changes nothing but that a key vouched for here is known from then on. */
export async function probeFromWindow(core: Core, login: HostLogin): Promise<ProbeView> {
  const connection = await core.connections.try(addressFrom(login), login.fingerprint)
  try {
    const probe = await probeHost(connection.shell)
    return {
      items: probe.items,
      usable: isUsable(probe),
      ...(probe.inventory !== undefined && { facts: factsOf(probe.inventory) }),
      vmNames: (probe.inventory?.domains ?? []).map(({ name }) => name)
    }
  } finally {
    await connection.close()
  }
}

export async function addFromWindow(core: Core, login: HostLogin): Promise<{ rebuilt: boolean }> {
  const { rebuilt } = await addHost(core, addressFrom(login), login.fingerprint)
  return { rebuilt }
}

/** A known host that was rebuilt: its old key goes, and it must show the one that the person has compared. */
export async function acceptKey(core: Core, name: string, fingerprint: string): Promise<{ rebuilt: boolean }> {
  const record = requireHost(core.settings.read(), name)
  await forgetHostKey(core, name)
  const { rebuilt } = await addHost(core, addressOf(record), fingerprint)
  return { rebuilt }
}
