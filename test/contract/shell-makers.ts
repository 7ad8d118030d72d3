import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { connectHost } from '../../src/main/core/ssh/connect.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { localShell } from '../../src/shell/local.ts'
import { fakeMachine } from './fake-machine.ts'
import { startSshd } from './sshd.ts'

/** A shell under test, with a way to look behind it. */
export interface MadeShell {
  readonly shell: Shell
  /** Programs that run with this text among their arguments. */
  running(token: string): number
  /** Cuts the connection, where there is one. */
  cut(): void
  /** Ends the programs with this text among their arguments, behind the shell's back. */
  reap(token: string): void
  close(): Promise<void>
}

export interface ShellMaker {
  readonly name: string
  readonly hasConnection: boolean
  make(): Promise<MadeShell>
}

/** An argument that no other process on this machine has: a number of seconds for `sleep`. */
export const uniqueSeconds = (): string => `9${Number.parseInt(randomUUID().slice(0, 8), 16)}`

function pidsOf(token: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandOf(pid).includes(token))
}

const onThisMachine: Pick<MadeShell, 'running' | 'reap'> = {
  running: (token) => pidsOf(token).length,
  reap: (token) => {
    for (const pid of pidsOf(token)) process.kill(Number(pid), 'SIGKILL')
  }
}

/** Empty for zombies and for what has just gone. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

const local: ShellMaker = {
  name: 'local',
  hasConnection: false,
  make: () =>
    Promise.resolve({ ...onThisMachine, shell: localShell(), cut: () => undefined, close: () => Promise.resolve() })
}

const fake: ShellMaker = {
  name: 'fake',
  hasConnection: true,
  make: () => {
    const machine = fakeMachine()
    return Promise.resolve({ ...machine, reap: () => undefined, close: () => Promise.resolve() })
  }
}

const ssh: ShellMaker = {
  name: 'ssh',
  hasConnection: true,
  make: async () => {
    const sshd = await startSshd()
    const questions = { unknownHostKey: () => Promise.resolve(true), passphrase: () => Promise.resolve(undefined) }
    const host = await connectHost(sshd.address, { questions, settingsDir: sshd.settings, homeDir: sshd.home })
    const close = async (): Promise<void> => {
      await host.close()
      await sshd.stop()
    }
    return { shell: host.shell, ...onThisMachine, cut: () => sshd.dropConnections(), close }
  }
}

export const shellMakers: readonly ShellMaker[] = [local, fake, ssh]
