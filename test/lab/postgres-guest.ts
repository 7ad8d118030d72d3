import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { archiveAddress } from './debian-packages.ts'
import { makeWhole } from './guest-assets.ts'
import type { Guest } from './guest.ts'
import { cacheFolder } from './places.ts'
import { must, waitFor } from './run.ts'

const RECIPE = join(import.meta.dirname, 'postgres')
const PACKAGES = ['systemd-sysv', 'udev', 'dbus', 'qemu-guest-agent', 'postgresql']
const UNREAD = ['doc', 'man', 'locale'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)

/** A disk with a Debian 12 that runs PostgreSQL under load from its boot on; made once, and again when its recipe changes. */
export async function postgresImage(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder, `postgres-${recipeKey()}`)
  if (!existsSync(folder)) {
    say('installing a Debian with PostgreSQL for a guest: about a minute, once')
    await makeWhole(folder, buildImage)
  }
  return join(folder, 'disk.qcow2')
}

function recipeKey(): string {
  const hash = createHash('sha256').update(JSON.stringify([PACKAGES, UNREAD]))
  for (const file of readdirSync(RECIPE).toSorted()) hash.update(file).update(readFileSync(join(RECIPE, file)))
  return hash.digest('hex').slice(0, 12)
}

async function buildImage(target: string): Promise<void> {
  const [tree, raw] = [join(target, 'tree'), join(target, 'disk.raw')]
  const settings = ['--variant=minbase', '--mode=root', '--quiet', `--include=${PACKAGES.join(',')}`, ...UNREAD]
  const source = `deb ${await archiveAddress()} bookworm main`
  const recipe = ['env', `STILLPOINT_RECIPE=${RECIPE}`]
  const hook = `--customize-hook=${join(RECIPE, 'install')}`
  await must([...recipe, 'mmdebstrap', ...settings, hook, 'bookworm', tree, source], { timeoutMs: 1_800_000 })
  await must(['mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'bank', '-d', tree, raw, '1G'])
  await must(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(target, 'disk.qcow2')])
  for (const made of [tree, raw]) rmSync(made, { recursive: true })
}

/** A transaction that the guest has said to be committed, by the id that it gave its row. */
export interface Commit {
  readonly id: number
  /** When its line was seen on the lab's machine; it was said before. */
  readonly seenMs: number
}

/** Ids of the transactions that a serial log reports as committed; a line that was cut off does not count. */
export const parseCommits = (log: string): number[] =>
  [...log.matchAll(/^COMMIT \d+ (\d+)\r?\n/gm)].map(([, id]) => Number(id))

/** Watches the serial port of a guest and notes when each commit was reported. */
export function recordCommits(guest: Guest): { stop(): readonly Commit[] } {
  const seen: Commit[] = []
  const look = (): void => {
    const seenMs = Date.now()
    seen.push(
      ...parseCommits(guest.log())
        .slice(seen.length)
        .map((id) => ({ id, seenMs }))
    )
  }
  look()
  const timer = setInterval(look, 20)
  return {
    stop: () => {
      clearInterval(timer)
      return seen
    }
  }
}

export async function waitForCommits(guest: Guest, more: number, timeoutMs = 900_000): Promise<void> {
  const before = parseCommits(guest.log()).length
  const come = (): true | undefined => (parseCommits(guest.log()).length >= before + more ? true : undefined)
  await waitFor(`${more} commits of ${guest.name}`, come, { timeoutMs })
}

/** Runs a shell command as postgres inside a guest, through its agent; answers what it printed, or throws. */
export async function insideAsPostgres(guest: Guest, command: string, timeoutMs = 900_000): Promise<string> {
  // Not all of its programs have a link in /usr/bin.
  const argv = ['postgres', '-c', `PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); ${command}`]
  const started = await agent<{ pid: number }>(guest, 'guest-exec', {
    path: '/bin/su',
    arg: argv,
    'capture-output': true
  })
  const ended = await waitFor(
    command,
    async () => {
      const status = await agent<ExecStatus>(guest, 'guest-exec-status', { pid: started.pid })
      return status.exited ? status : undefined
    },
    { timeoutMs, everyMs: 250 }
  )
  const said = [ended['out-data'], ended['err-data']].map((data) => Buffer.from(data ?? '', 'base64').toString())
  if (ended.exitcode !== 0) throw new Error(`exit code ${ended.exitcode ?? 'none'} of ${command}: ${said.join('')}`)
  return said[0] ?? ''
}

interface ExecStatus {
  readonly exited: boolean
  readonly exitcode?: number
  readonly 'out-data'?: string
  readonly 'err-data'?: string
}

async function agent<T>(guest: Guest, execute: string, words: object): Promise<T> {
  const answer = await guest.virsh('qemu-agent-command', guest.uuid, JSON.stringify({ execute, arguments: words }))
  return (JSON.parse(answer) as { return: T }).return
}
