import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashOf, rememberedHashOf } from '../../src/main/core/engine-on-host/file-hash.ts'
import { chooseRuntimeDir } from '../../src/main/core/engine-on-host/runtime-dir.ts'
import { LABEL, presentOnHost, upload, type Upload } from '../../src/main/core/engine-on-host/upload.ts'
import { sweepOldEngines } from '../../src/main/core/engine-on-host/sweep.ts'
import { isKnownTo, takeAway } from '../../src/main/core/engine-on-host/take-away.ts'
import type { Shell } from '../../src/shared/shell.ts'
import { localShell } from '../../src/shell/local.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint upload '))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const shell = localShell()
const cache = (): string => join(folder, 'cache')

async function order(content = 'x'.repeat(300_000)): Promise<Upload> {
  const path = join(folder, 'engine.mjs')
  writeFileSync(path, content)
  const hash = await hashOf(path)
  const base = join(folder, 'state')
  return { asset: { path, hash }, base, target: join(base, 'runtime', hash, 'node'), mode: '0700' }
}

describe('putting a file on a host', () => {
  it('brings it whole, with its mode, in folders of its own, and nothing else', async () => {
    const it_ = await order()
    const shares: number[] = []
    await upload(shell, it_, cache(), (done, total) => void shares.push(done / total))
    expect(readFileSync(it_.target, 'utf8')).toBe('x'.repeat(300_000))
    expect(statSync(it_.target).mode & 0o777).toBe(0o700)
    expect(statSync(it_.base).mode & 0o777).toBe(0o700)
    expect(shares.at(-1)).toBe(1)
    expect(readdirSync(join(it_.target, '..')).sort()).toEqual(['.lock', 'node'])
  })

  it('knows what is there already, and what is there with another content', async () => {
    const it_ = await order()
    const { target, asset } = it_
    const missing = { target: `${target}-not`, hash: asset.hash }
    await upload(shell, it_, cache(), () => undefined)
    expect((await presentOnHost(shell, [{ target, hash: asset.hash }, missing])).present).toEqual([true, false])
    chmodSync(target, 0o600)
    writeFileSync(target, 'y'.repeat(300_000))
    expect((await presentOnHost(shell, [{ target, hash: asset.hash }])).present).toEqual([false])
    await upload(shell, it_, cache(), () => undefined)
    expect((await presentOnHost(shell, [{ target, hash: asset.hash }])).present).toEqual([true])
  })

  it('leaves nothing under the name when what arrives is not what was sent', async () => {
    const it_ = await order()
    const swapping: Shell = {
      label: 'swapping',
      run: (argv, options) => shell.run(argv, { ...options, stdin: gzipSync('another') })
    }
    await expect(upload(swapping, it_, cache(), () => undefined)).rejects.toMatchObject({
      failure: { kind: 'command-failed', exitCode: 66 }
    })
    expect(existsSync(it_.target)).toBe(false)
    expect(readdirSync(join(it_.target, '..'))).toEqual(['.lock'])
  })

  it('leaves nothing under the name when the connection breaks in the middle', async () => {
    const it_ = await order()
    const breaking: Shell = {
      label: 'breaking',
      run: (argv, options) => shell.run(argv, { ...options, stdin: Buffer.from([0x1f, 0x8b, 8]) })
    }
    await expect(upload(breaking, it_, cache(), () => undefined)).rejects.toMatchObject({ failure: { exitCode: 65 } })
    expect(existsSync(it_.target)).toBe(false)
  })

  it('is done once when two ask at the same time', async () => {
    const it_ = await order()
    await Promise.all([upload(shell, it_, cache(), () => undefined), upload(shell, it_, cache(), () => undefined)])
    expect(readFileSync(it_.target, 'utf8')).toHaveLength(300_000)
  })

  it('is compressed once per content', async () => {
    const it_ = await order()
    await upload(shell, it_, cache(), () => undefined)
    const before = statSync(join(cache(), `${it_.asset.hash}.gz`)).mtimeMs
    await upload(shell, it_, cache(), () => undefined)
    expect(statSync(join(cache(), `${it_.asset.hash}.gz`)).mtimeMs).toBe(before)
  })
})

/** Programs before those of this machine. */
function withPrograms(programs: Readonly<Record<string, string>>): Shell {
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
  return {
    label: 'selinux',
    run: (argv, options) => shell.run(argv, { ...options, env: { ...options?.env, ...env } })
  }
}

// engine.md finding 25. There is no SELinux on these machines: what is told to it is looked at, and not what comes of it.
describe('a host with SELinux', () => {
  const said = (): string[] => readFileSync(join(folder, 'said'), 'utf8').trim().split('\n')

  const chcon = 'for last; do :; done; echo "$1 $2 ${last##*/}" >> "${0%/*}/said"'

  it('has the label of a program on what its units are to start, before it is there and at each connection', async () => {
    const host = withPrograms({ selinuxenabled: 'exit 0', chcon })
    const it_ = await order()
    await upload(host, it_, cache(), () => undefined)
    expect(said()).toEqual([expect.stringMatching(/^-t bin_t \.upload\.\d+$/)])
    const { target, asset } = it_
    expect(await presentOnHost(host, [{ target, hash: asset.hash }])).toMatchObject({ present: [true] })
    expect(said().at(-1)).toBe('-t bin_t node')
  })

  it('is read once to see that it is right, and again when somebody has touched it', async () => {
    const host = withPrograms({ sha256sum: 'echo read >> "${0%/*}/said"; exec /usr/bin/sha256sum "$@"' })
    const it_ = await order()
    await upload(host, it_, cache(), () => undefined)
    const file = { target: it_.target, hash: it_.asset.hash }
    const reads = async (): Promise<number> => {
      const before = said().length
      expect(await presentOnHost(host, [file])).toMatchObject({ present: [true] })
      return said().length - before
    }
    expect([await reads(), await reads()]).toEqual([1, 0])
    chmodSync(file.target, 0o755)
    expect([await reads(), await reads()]).toEqual([1, 0])
  })

  it('is not asked for labels where it is switched off', async () => {
    const host = withPrograms({ selinuxenabled: 'exit 1', chcon })
    await upload(host, await order(), cache(), () => undefined)
    expect(existsSync(join(folder, 'said'))).toBe(false)
  })

  it('gets below /usr the label that its own policy has for the place', async () => {
    const program = '/usr/local/libexec/stillpoint/bin/x/node'
    const label = (type: string): Promise<unknown> => {
      const host = withPrograms({
        selinuxenabled: 'exit 0',
        stat: `echo system_u:object_r:${type}:s0`,
        restorecon: 'echo "restorecon $*" >> "${0%/*}/said"',
        chcon
      })
      return host.run(['sh', '-c', `${LABEL}label ${program}`])
    }
    await label('bin_t')
    expect(said()).toEqual([`restorecon -F /usr/local/libexec/stillpoint/bin/x ${program}`])
    await label('usr_t')
    expect(said().slice(1)).toEqual([said()[0], '-t bin_t node'])
  })

  it('has its programs outside of /var, whose labels go with the next relabelling', async () => {
    const host = withPrograms({ selinuxenabled: 'exit 0', chcon, 'systemd-run': 'exit 0' })
    const elsewhere = join(folder, 'usr/stillpoint/bin')
    expect(await chooseRuntimeDir(host, ['/var/lib/stillpoint-nowhere/runtime', elsewhere])).toBe(elsewhere)
    expect(existsSync('/var/lib/stillpoint-nowhere')).toBe(false)
  })
})

describe('where programs lie on a host', () => {
  const startsAllBut = (part: string): string =>
    `for last; do :; done; case $last in *${part}*) exit 203 ;; esac; exec "$last"`

  it.each([
    ['both', 'nothing-of-this', 'first'],
    ['not in the first', '/first/', 'second']
  ])('is where systemd starts them: %s', async (_, part, chosen) => {
    const host = withPrograms({ 'systemd-run': startsAllBut(part) })
    const dirs = ['first', 'second'].map((name) => join(folder, name, 'stillpoint', 'bin'))
    expect(await chooseRuntimeDir(host, dirs)).toBe(join(folder, chosen, 'stillpoint', 'bin'))
    expect(readdirSync(join(folder, chosen, 'stillpoint/bin'))).toEqual([])
    expect(existsSync(join(folder, 'first/stillpoint/bin'))).toBe(chosen === 'first')
    expect(existsSync(join(folder, 'first/stillpoint'))).toBe(true)
  })

  it('is the usual folder where systemd starts nothing at all: what stands in the way is told later', async () => {
    const host = withPrograms({ 'systemd-run': 'exit 1' })
    expect(await chooseRuntimeDir(host, [join(folder, 'a/stillpoint/bin')])).toBe('/var/lib/stillpoint/runtime')
  })

  it('can be read by others above ours, and by root alone from there on', async () => {
    const base = join(folder, 'libexec', 'stillpoint')
    const it_ = { ...(await order()), base, target: join(base, 'bin/x/node') }
    await upload(shell, it_, cache(), () => undefined)
    expect([join(folder, 'libexec'), base].map((dir) => statSync(dir).mode & 0o777)).toEqual([0o755, 0o700])
  })
})

describe('the hash of a file', () => {
  it('is remembered until the file changes', async () => {
    const { asset } = await order('one')
    expect(await rememberedHashOf(asset.path, cache())).toBe(await hashOf(asset.path))
    const { atime, mtime } = statSync(asset.path)
    for (const content of ['another', 'two', 'six']) {
      writeFileSync(asset.path, content)
      utimesSync(asset.path, atime, mtime) // of the same length, and as if nobody had written
      expect(await rememberedHashOf(asset.path, cache())).toBe(await hashOf(asset.path))
    }
  })
})

describe('old engines', () => {
  const engineAt = (name: string): string => join(folder, 'state/engine', `${name}.mjs`)
  /** Of a host whose systemd has this loaded. */
  const withSystemd = (loaded: string): Shell => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const systemctl = `#!/bin/sh\n[ "$1" != show ] || echo '${loaded}'\n`
    writeFileSync(join(bin, 'systemctl'), systemctl, { mode: 0o755 })
    const PATH = `${bin}:${process.env['PATH'] ?? ''}`
    return { ...shell, run: (argv, options) => shell.run(argv, { ...options, env: { ...options?.env, PATH } }) }
  }

  it('go after a day, but never ours, nor one that a unit names as systemd has loaded it', async () => {
    const state = join(folder, 'state')
    const engines = ['ours', 'old', 'loaded', 'young'].map(engineAt)
    mkdirSync(join(state, 'engine'), { recursive: true })
    for (const path of engines) writeFileSync(path, '')
    // Each has its time from the clock that `find` asks; the file system's own is another one where the clock is made up.
    const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000)
    for (const path of engines.slice(0, 3)) utimesSync(path, hoursAgo(25), hoursAgo(25))
    utimesSync(engines[3] ?? '', hoursAgo(23), hoursAgo(23))
    const systemd = withSystemd(
      `ExecStart={ path=/usr/bin/node ; argv[]=/usr/bin/node ${engineAt('loaded')} recover-all ; }`
    )
    await sweepOldEngines(systemd, join(state, 'runtime/x'), engines[0] ?? '', [join(state, 'engine')])
    expect(readdirSync(join(state, 'engine')).sort()).toEqual(['loaded.mjs', 'ours.mjs', 'young.mjs'])
  })

  it('leave what was compiled of them for a month', async () => {
    const compiled = join(folder, 'state/engine/.compiled/node')
    mkdirSync(compiled, { recursive: true })
    for (const [name, days] of [
      ['old', 32],
      ['young', 29]
    ] as const) {
      const at = new Date(Date.now() - days * 86_400_000)
      writeFileSync(join(compiled, name), '')
      utimesSync(join(compiled, name), at, at)
    }
    await sweepOldEngines(withSystemd(''), join(folder, 'state/runtime/x'), 'ours', [join(folder, 'state/engine')])
    expect(readdirSync(compiled)).toEqual(['young'])
  })
})

describe('taking away what was put on a host that was refused', () => {
  const dirs = (): { state: string; programs: string; units: string } => ({
    state: join(folder, 'state'),
    programs: join(folder, 'programs'),
    units: join(folder, 'units')
  })

  /** With a systemd that knows of these units. */
  function host(units = ''): Shell {
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\n[ "$1" != list-units ] || printf '%s' '${units}'\n`, {
      mode: 0o755
    })
    return localShell({ env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } })
  }

  /** As an add leaves it: runtime, engine, what Node compiled, and the units and folders that the engine makes. */
  async function put(): Promise<string[]> {
    const { state, units } = dirs()
    const runtime = await order()
    const engine = { ...runtime, target: join(state, 'engine', 'e.mjs'), mode: '0600' } as const
    for (const file of [runtime, engine]) expect(await upload(shell, file, cache(), () => undefined)).toBe(true)
    await presentOnHost(shell, [{ target: runtime.target, hash: runtime.asset.hash }])
    for (const dir of [join(state, 'engine/.compiled/v1'), join(state, 'points'), join(state, 'jobs'), units])
      mkdirSync(dir, { recursive: true })
    writeFileSync(join(units, 'stillpoint-recover.service'), `ExecStart=${runtime.target} ${engine.target} recover-all`)
    writeFileSync(join(units, 'stillpoint-recover.timer'), '')
    for (const watch of ['stillpoint-watch.service', 'stillpoint-watch.timer']) writeFileSync(join(units, watch), '')
    writeFileSync(join(units, 'other.service'), engine.target)
    return [runtime.target, engine.target]
  }

  it('leaves nothing of it where nothing was there before', async () => {
    expect(await isKnownTo(host(), [dirs().state])).toBe(false)
    const files = await put()
    expect(await isKnownTo(host(), [dirs().state])).toBe(true)
    await takeAway(host(), files, false, dirs())
    expect(existsSync(dirs().state)).toBe(false)
    expect(readdirSync(dirs().units)).toEqual(['other.service'])
  })

  it('leaves points, and whatever else is not of this add', async () => {
    const files = await put()
    mkdirSync(join(dirs().state, 'points/a'))
    await takeAway(host(), files, false, dirs())
    expect(readdirSync(dirs().state)).toEqual(['points'])
  })

  it('leaves what units name, with all that was there, on a host that was known', async () => {
    const [runtime = '', engine = ''] = await put()
    writeFileSync(join(dirs().units, 'stillpoint-recover.service'), `ExecStart=${runtime} other.mjs recover-all`)
    writeFileSync(join(dirs().state, 'engine/other.mjs'), '')
    await takeAway(host(), [runtime, engine], true, dirs())
    expect(existsSync(runtime)).toBe(true)
    expect(readdirSync(join(dirs().state, 'engine')).sort()).toEqual(['.compiled', '.lock', 'other.mjs'])
    expect(readdirSync(dirs().units)).toHaveLength(5)
  })

  it('touches nothing where another computer has begun a job meanwhile', async () => {
    const files = await put()
    await takeAway(host('stillpoint-job-1.service'), files, false, dirs())
    expect(files.map((path) => existsSync(path))).toEqual([true, true])
    expect(readdirSync(dirs().units)).toHaveLength(5)
  })

  it('touches nothing where another computer has set up a policy meanwhile, whose timer alone is there', async () => {
    const files = await put()
    mkdirSync(join(dirs().state, 'policies'))
    writeFileSync(join(dirs().state, 'policies/nightly.json'), '{}')
    await takeAway(host(), files, false, dirs())
    expect(files.map((path) => existsSync(path))).toEqual([true, true])
    expect(readdirSync(dirs().units)).toHaveLength(5)
    // One that was known before is not left with an engine that nobody asked for.
    rmSync(dirs().units, { recursive: true })
    mkdirSync(dirs().units)
    await takeAway(host(), files, true, dirs())
    expect(files.map((path) => existsSync(path))).toEqual([false, false])
  })

  it('does not count what another computer has put there at the same moment', async () => {
    const it_ = await order()
    const both = await Promise.all([1, 2].map(() => upload(shell, it_, cache(), () => undefined)))
    expect(both.sort()).toEqual([false, true])
  })
})
