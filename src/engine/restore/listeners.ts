import { readFile } from 'node:fs/promises'
import { isFailure } from '../../shared/failure.ts'
import type { Shell } from '../../shared/shell.ts'

/** A process of this host that has a port. */
export interface Listener {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly address: string
  /** Empty: the kernel itself, or one that this user may not see. */
  readonly program: string
  readonly pids: readonly number[]
}

/** Undefined: there is no `ss` here to ask. */
export async function listenersHere(shell: Shell): Promise<Listener[] | undefined> {
  try {
    const { exitCode, stdout } = await shell.run(['ss', '-H', '-l', '-t', '-u', '-n', '-p'])
    return exitCode === 0 ? parseListeners(stdout) : undefined
  } catch (error) {
    if (isFailure(error, 'missing-tool')) return undefined
    throw error
  }
}

/** `tcp LISTEN 0 1 0.0.0.0:5999 0.0.0.0:* users:(("qemu-system-x86",pid=411,fd=21))` */
export const parseListeners = (text: string): Listener[] => text.split('\n').flatMap(listenerOf)

function listenerOf(line: string): Listener[] {
  const [protocol, , , , local = '', , users = ''] = line.trim().split(/\s+/)
  const [, address = '', digits] = /^\[?(.*?)\]?:(\d+)$/.exec(local) ?? []
  const port = Number(digits)
  if ((protocol !== 'tcp' && protocol !== 'udp') || !Number.isInteger(port)) return []
  return [
    {
      protocol,
      port,
      // What follows % is the device of an address that several may have.
      address: address.replace(/%.*$/, ''),
      program: /\(\("([^"]*)"/.exec(users)?.[1] ?? '',
      pids: [...users.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid))
    }
  ]
}

/** `VM web` where it is the QEMU of one, else the program: what an operator would look for. */
export async function ownerOf({ program, pids: [pid] }: Listener): Promise<string> {
  const words = (await readFile(`/proc/${pid ?? 0}/cmdline`, 'utf8').catch(() => '')).split('\0')
  const guest = /^guest=((?:[^,]|,,)+)/.exec(words[words.indexOf('-name') + 1] ?? '')?.[1]
  if (guest !== undefined && words.includes('-name')) return `VM ${guest.replaceAll(',,', ',')}`
  return program === '' ? 'another program' : `the program ${program}`
}
