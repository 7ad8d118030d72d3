import { readdir, readFile } from 'node:fs/promises'
import * as z from 'zod'

/** One process, such as a QEMU, told apart from a later one that has the same number by when it started. */
export const VmProcess = z.object({
  pid: z.number(),
  /** Clock ticks from the boot of the host to the start of the process. */
  startTicks: z.string()
})
export type VmProcess = z.infer<typeof VmProcess>

/** The QEMU that runs this VM on this host, whatever libvirt knows of it. Undefined: there is none. */
export async function vmProcess(uuid: string): Promise<VmProcess | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (words[words.indexOf('-uuid') + 1] !== uuid || !words.includes('-uuid')) continue
    const found = await processNow(Number(pid))
    if (found !== undefined) return found
  }
  return undefined
}

/** Which process has this number now. Undefined: none. */
export async function processNow(pid: number): Promise<VmProcess | undefined> {
  const startTicks = startTicksIn(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
  return startTicks === undefined ? undefined : { pid, startTicks }
}

/** Field 22 of /proc/PID/stat; the program's name before it may hold blanks and parentheses. Source: proc(5). */
export const startTicksIn = (stat: string): string | undefined => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]

export const isSameProcess = (a: VmProcess | undefined, b: VmProcess | undefined): boolean =>
  a !== undefined && b !== undefined && a.pid === b.pid && a.startTicks === b.startTicks
