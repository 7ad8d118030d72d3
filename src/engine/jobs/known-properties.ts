import type { Shell } from '../../shared/shell.ts'

/** What `systemd-run` refuses, with the whole unit, where systemd is older: RHEL 8 has 239, Debian 10 has 241. */
const SINCE: Readonly<Record<string, number>> = { 'Type=exec': 240, 'OOMPolicy=continue': 243 }

/** Those of a transient unit's properties that this host's systemd knows. Without the others a unit runs as well. */
export async function knownProperties(shell: Shell, properties: readonly string[]): Promise<string[]> {
  const version = await systemdVersion(shell)
  return properties.filter((property) => version >= (SINCE[property] ?? 0))
}

/** `systemd 252 (252.39-1~deb12u1)`. One that does not say is taken for new. */
async function systemdVersion(shell: Shell): Promise<number> {
  const { stdout } = await shell.run(['systemctl', '--version'])
  return Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? Infinity)
}
