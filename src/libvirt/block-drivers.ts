import type { Shell } from '../shared/shell.ts'
import { READ_PROTOCOLS } from './network-source.ts'

/**
 * Lists the protocols that QEMU on the host has no driver for, which many distributions pack separately. What QEMU says of its formats
 * names them all the same; but a name that says no more than the driver is refused for that, before any server is asked.
 */
export const MISSING_DRIVERS_SCRIPT = `
for d in ${READ_PROTOCOLS.join(' ')}; do
  case $(timeout -s KILL 3 qemu-img info "json:{\\"driver\\":\\"$d\\"}" 2>&1) in *"Unknown driver"*|*"not whitelisted"*) echo "$d" ;; esac
done
`

/** Pure: what that printed. */
export const parseMissingDrivers = (text: string): string[] =>
  READ_PROTOCOLS.filter((protocol) => text.split('\n').includes(protocol))

export async function hasDriver(shell: Shell, protocol: string): Promise<boolean> {
  const { stderr } = await shell.run(['qemu-img', 'info', `json:${JSON.stringify({ driver: protocol })}`])
  return !/Unknown driver|not whitelisted/.test(stderr)
}
