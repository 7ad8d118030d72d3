import { connectHost } from '../../src/main/core/ssh/connect.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { localShell } from '../../src/shell/local.ts'
import { pidsOf } from '../processes-with.ts'
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

const onThisMachine: Pick<MadeShell, 'running' | 'reap'> = {
  running: (token) => pidsOf(token).length,
  reap: (token) => {
    for (const pid of pidsOf(token)) process.kill(Number(pid), 'SIGKILL')
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
