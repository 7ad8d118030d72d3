import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Core } from '../../src/main/core/core.ts'
import { LiveCore } from '../../src/main/core/live/live-core.ts'
import { Notices } from '../../src/main/core/live/notices.ts'
import type { Place } from '../../src/main/core/settings/settings-schema.ts'
import { lastListing, rememberListing } from '../../src/main/core/points/last-listing.ts'
import { knownPolicies } from '../../src/main/core/policies/known-policies.ts'
import { changeChoices, readChoices } from '../../src/main/core/settings/choices.ts'
import { forgetHostKey } from '../../src/main/core/hosts/forget-key.ts'
import { rememberedChoices } from '../../src/main/core/hosts/remembered-choices.ts'
import { whileLocked } from '../../src/main/core/settings/lock-file.ts'
import { openSettings } from '../../src/main/core/settings/settings-file.ts'
import { damagedLineOf, forgetDamaged, putDamagedAside } from '../../src/main/core/ssh/damaged-keys.ts'
import type { UnknownHostKey } from '../../src/main/core/ssh/host-connection.ts'
import { checkHostKey } from '../../src/main/core/ssh/host-key.ts'
import { readKnownHosts } from '../../src/main/core/ssh/known-hosts.ts'
import { WindowPlaces } from '../../src/main/desktop/window-file.ts'
import { connectQuestions } from '../../src/main/doors/cli/connect-questions.ts'
import type { Output } from '../../src/main/doors/cli/output.ts'
import { openSession } from '../../src/main/doors/cli/session.ts'
import { nobody } from '../../src/main/doors/cli/terminal.ts'
import { errorLog } from '../../src/main/doors/error-log.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf, type Failure } from '../../src/shared/failure.ts'
import { DEFAULT_CHOICES, type ChoicesChange } from '../../src/shared/views/settings-view.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('files on the laptop')

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'stillpoint-files-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const GIB = 1024 ** 3

/** Contents that no file of ours has. */
const NONSENSE: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['a line end', '\n'],
  ['words', 'garbage'],
  ['half of it', '{"version": 1, "hos'],
  ['NUL', Buffer.alloc(4096)],
  ['every byte', Buffer.from(Array.from({ length: 256 }, (_, n) => n))],
  ['UTF-16', Buffer.from('{"version":1}', 'utf16le')],
  ['invalid UTF-8', Buffer.from([0xff, 0xfe, 0xc0, 0x80])],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '1e999999'],
  ['a string', '"settings"'],
  ['an array', '[]'],
  ['an array of arrays', '[[[[]]]]'],
  ['brackets without end', '['.repeat(300_000)],
  ['brackets that end', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ['a deep object', '{"a":'.repeat(100_000)],
  ['XML', '<?xml version="1.0"?><a/>'],
  ['two objects', '{}{}']
]

/** What may be where a file should be. */
const IN_ITS_PLACE: readonly (readonly [string, (path: string) => void])[] = [
  ['a folder', (path) => mkdirSync(path)],
  ['a pipe', (path) => void spawnSync('mkfifo', [path])],
  ['a device', (path) => symlinkSync('/dev/zero', path)],
  ['a link to itself', (path) => symlinkSync(path, path)],
  ['a file of the kernel', (path) => symlinkSync('/proc/self/mem', path)],
  ...[1, 2, 5, 600].map((gib) => [`${gib} GiB of nothing`, (path: string) => sparse(path, gib * GIB)] as const)
]

function sparse(path: string, bytes: number): void {
  writeFileSync(path, '')
  truncateSync(path, bytes)
}

const wordsOf = (work: () => unknown): string => {
  try {
    work()
    return ''
  } catch (error) {
    const failure = failureOf(error)
    expect(failure.kind).not.toBe('bug')
    return describeFailure(failure).title
  }
}

const containing = (text: string): unknown => expect.stringContaining(text)

describe('settings', () => {
  const alpha = { name: 'alpha', address: '192.0.2.1', addedAt: '2026-11-22T20:17:44.000Z' }
  const whole = { version: 1, hosts: [alpha], places: [] }
  const path = (): string => join(folder, 'settings.json')
  const WRONG: readonly (readonly [string, unknown])[] = [
    ['a version of text', { ...whole, version: '1' }],
    ['version 0', { ...whole, version: 0 }],
    ['a version below nothing', { ...whole, version: -1 }],
    ['half a version', { ...whole, version: 0.5 }],
    ['no version', { hosts: [], places: [] }],
    ['hosts that are no list', { ...whole, hosts: { alpha } }],
    ['places that are no list', { ...whole, places: 'all' }]
  ]

  it.each([...NONSENSE, ...WRONG.map(([what, value]) => [what, JSON.stringify(value)] as const)])(
    'that cannot be understood are kept aside, said, and never lost: %s',
    async (_, content) => {
      for (const newer of ['refuse', 'leave'] as const)
        await tally.tried(() => {
          writeFileSync(path(), content)
          const settings = openSettings(folder, newer)
          expect(settings.read().hosts).toEqual([])
          expect(settings.notices.join()).toContain('kept aside')
          const aside = readdirSync(folder).find((name) => name.includes('.broken-')) ?? ''
          expect(readFileSync(join(folder, aside)).equals(Buffer.from(content))).toBe(true)
          settings.update((before) => ({ ...before, hosts: [alpha] }))
          expect(openSettings(folder).read().hosts).toEqual([alpha])
          rmSync(join(folder, aside))
          rmSync(path())
        })
    }
  )

  const beta = { ...alpha, name: 'beta' }
  const IN_PART: readonly (readonly [string, Record<string, unknown>])[] = [
    ['a host that is null', { ...whole, hosts: [beta, null] }],
    ['a host without a name', { ...whole, hosts: [beta, { ...alpha, name: undefined }] }],
    ['a host named like a path', { ...whole, hosts: [beta, { ...alpha, name: '../../etc' }] }],
    ['a host named like an option', { ...whole, hosts: [beta, { ...alpha, name: '-rf' }] }],
    ['an address with a line end', { ...whole, hosts: [beta, { ...alpha, address: 'a\nb' }] }],
    ['an address that is a command', { ...whole, hosts: [beta, { ...alpha, address: '$(reboot)' }] }],
    ['a user that is an option', { ...whole, hosts: [beta, { ...alpha, user: '-l root' }] }],
    ['port 0', { ...whole, hosts: [beta, { ...alpha, port: 0 }] }],
    ['port 65536', { ...whole, hosts: [beta, { ...alpha, port: 65_536 }] }],
    ['a port of text', { ...whole, hosts: [beta, { ...alpha, port: '22' }] }],
    ['a time that is none', { ...whole, hosts: [beta, { ...alpha, addedAt: 'yesterday' }] }],
    ['10,001 hosts', { ...whole, hosts: [beta, ...Array.from({ length: 10_000 }, () => alpha)] }],
    ['a place of another kind', { ...whole, hosts: [beta], places: [{ kind: 'cloud', dir: '/a' }] }],
    ['a place with a relative path', { ...whole, hosts: [beta], places: [{ kind: 'local', dir: 'a' }] }],
    [
      'a path of 5,000 characters',
      { ...whole, hosts: [beta], places: [{ kind: 'local', dir: `/${'a'.repeat(5000)}` }] }
    ],
    ['choices that are a list', { ...whole, hosts: [beta], choices: [1] }],
    [
      'a host whose machine has a name of 65 characters',
      { ...whole, hosts: [beta, { ...alpha, machineId: 'a'.repeat(65) }] }
    ],
    ['501 remembered choices', { ...whole, hosts: [beta, { ...alpha, restoreChoices: Array(501).fill({}) }] }]
  ]

  it.each(IN_PART)('carry along what is not understood, say so, and the rest is there: %s', async (_, value) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify(value))
      const settings = openSettings(folder)
      expect(settings.notices.join()).toMatch(/does not understand (\d+ (host|store)|the choices)/)
      expect(settings.read().hosts.map(({ name }) => name)).toContain('beta')
      settings.update((before) => ({ ...before, theme: 'dark' }))
      const after = JSON.parse(readFileSync(path(), 'utf8')) as Record<string, unknown>
      expect(after).toMatchObject({ theme: 'dark' })
      for (const list of ['hosts', 'places'])
        expect(new Set((after[list] as unknown[]).map((each) => JSON.stringify(each)))).toEqual(
          new Set((value[list] as unknown[]).map((each) => JSON.stringify(each)))
        )
      expect(after['choices']).toEqual(value['choices'])
      expect(readdirSync(folder)).toEqual(['settings.json'])
    })
  })

  it.each([[[1]], ['dark'], [7]])('keep choices that are none beside those that are made then: %j', async (choices) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify({ ...whole, choices }))
      expect(openSettings(folder).notices.join()).toContain('found as choicesNotUnderstood')
      changeChoices(openSettings(folder), { appearance: 'dark' })
      changeChoices(openSettings(folder), { appearance: 'light' })
      const after = JSON.parse(readFileSync(path(), 'utf8')) as Record<string, unknown>
      expect(after).toMatchObject({ choicesNotUnderstood: [choices], choices: { appearance: 'light' } })
      expect(openSettings(folder).notices).toEqual([])
    })
  })

  const CHOSEN_ANEW: readonly [string, unknown, ChoicesChange, ChoicesChange][] = [
    ['appearance', 'sepia', { notifySuccess: true }, { appearance: 'light' }],
    ['muted', [{ uuid: 'x' }], { notifySuccess: true }, { muted: [] }]
  ]
  it.each(CHOSEN_ANEW)('keep a choice that is none until it is made anew: %s', async (name, value, other, same) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify({ ...whole, choices: { [name]: value } }))
      const kept = (): unknown => (JSON.parse(readFileSync(path(), 'utf8')) as { choices: object }).choices
      changeChoices(openSettings(folder), other)
      expect(kept()).toMatchObject({ [name]: value, ...other })
      changeChoices(openSettings(folder), same)
      expect(kept()).toMatchObject({ ...same, ...other })
    })
  })

  it('are never written larger than they may be read, or otherwise than they are understood', async () => {
    const settings = openSettings(folder)
    settings.update((before) => ({ ...before, hosts: [alpha] }))
    const text = readFileSync(path(), 'utf8')
    const WRITTEN: readonly object[] = [
      { theme: 'x'.repeat(17 << 20) },
      { hosts: [{ ...alpha, machineId: 'a'.repeat(65) }] },
      { hosts: Array.from({ length: 10_001 }, () => alpha) },
      { places: [{ kind: 'local', dir: 'relative' }] },
      { choices: 7 }
    ]
    for (const change of WRITTEN)
      await tally.tried(() => {
        expect(wordsOf(() => settings.update((before) => ({ ...before, ...change })))).toContain('settings.json')
        expect(readFileSync(path(), 'utf8')).toBe(text)
        expect(settings.read().hosts).toEqual([alpha])
      })
  })

  it.each(IN_ITS_PLACE)(
    'that cannot be read are refused in words, and the window starts empty: %s',
    async (what, make) => {
      await tally.tried(() => {
        make(path())
        if (what.includes('GiB')) {
          expect(openSettings(folder).notices.join()).toContain('far larger than it should be')
          return
        }
        expect(wordsOf(() => openSettings(folder))).toContain('could not be read')
        const left = openSettings(folder, 'leave')
        expect(left.read().hosts).toEqual([])
        expect(left.notices).toHaveLength(1)
        expect(wordsOf(() => left.update((before) => before))).not.toBe('')
        expect(existsSync(path()) || what === 'a link to itself').toBe(true)
      })
    }
  )

  it('that become so while a Stillpoint runs are refused in words, each time', async () => {
    const settings = openSettings(folder)
    for (const [, content] of NONSENSE)
      await tally.tried(() => {
        writeFileSync(path(), content)
        expect(wordsOf(() => settings.read())).toContain('settings.json')
        expect(wordsOf(() => settings.update((before) => before))).toContain('settings.json')
        expect(readFileSync(path()).equals(Buffer.from(content))).toBe(true)
      })
  })

  it('of a newer Stillpoint stay as they are, whatever else is in them', async () => {
    for (const more of [{}, { hosts: 7 }, { moons: [] }, { hosts: [alpha], places: [] }, { version: 9e15 }])
      await tally.tried(() => {
        const text = JSON.stringify({ version: 2, ...more })
        writeFileSync(path(), text)
        expect(wordsOf(() => openSettings(folder))).not.toBe('')
        expect(openSettings(folder, 'leave').notices.join()).toContain('newer Stillpoint')
        expect(readFileSync(path(), 'utf8')).toBe(text)
      })
  })

  it('keep two broken files of one second apart', async () => {
    await tally.tried(() => {
      for (const text of ['one', 'two', 'three']) {
        writeFileSync(path(), text)
        openSettings(folder)
      }
      expect(readdirSync(folder).filter((name) => name.includes('.broken-'))).toHaveLength(3)
    })
  })

  it.each([
    ['notifySuccess', 'yes'],
    ['notifySuccess', null],
    ['muted', 7],
    ['muted', { alpha: true }],
    ['acknowledged', 'all'],
    ['nothing we know', []],
    ['constructor', {}]
  ])('hold choices that hide no other: %s = %j', async (name, value) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify({ ...whole, choices: { [name]: value } }))
      expect(readChoices(openSettings(folder))).toMatchObject(DEFAULT_CHOICES)
    })
  })

  it.each([null, 7, 'x', [], {}, { kind: 'moon' }, { kind: 'map-network' }, { kind: 'map-network', from: 7, to: {} }])(
    'hold remembered choices of a host that hide no other: %j',
    async (nonsense) => {
      await tally.tried(() => {
        const good = { kind: 'map-network', from: 'lan', to: 'default' }
        writeFileSync(path(), JSON.stringify({ ...whole, hosts: [{ ...alpha, restoreChoices: [nonsense, good] }] }))
        expect(rememberedChoices(openSettings(folder).read(), 'alpha')).toEqual([good])
      })
    }
  )
})

describe('known host keys', () => {
  const KEY = 'alpha ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIQE3tXmm2oU0aYAPJfQ0OEm4xMGYnyDVvPUYpPxIAZ5'
  const own = (): string => join(folder, 'known_hosts')
  const read = async (): Promise<number> =>
    (await readKnownHosts(join(folder, 'home'), folder)).filter(({ file }) => file === own()).length

  it.each([
    ...NONSENSE.map(([what, content]) => [what, Buffer.from(content)] as const),
    ['a line of 20 MB', Buffer.alloc(20_000_000, 'a')] as const,
    ['a line of 20 MB with spaces', Buffer.alloc(20_000_000, 'a ')] as const,
    ['100,000 empty lines', Buffer.alloc(100_000, '\n')] as const,
    ['a hash without end', Buffer.from(`|1|${'A'.repeat(100_000)}`)] as const
  ])('are found behind what cannot be understood: %s', async (_, content) => {
    await tally.tried(async () => {
      writeFileSync(own(), Buffer.concat([content, Buffer.from(`\n${KEY}\n`)]))
      const lines = await readKnownHosts(join(folder, 'home'), folder)
      expect(lines.some(({ hosts, file }) => hosts === 'alpha' && file === own())).toBe(true)
    })
  })

  const BETA = KEY.replace('alpha', 'beta')
  const aside = (): string => `${own()}.damaged`
  const suspect = (host: string): Promise<string | undefined> => damagedLineOf(folder, host, 22)
  /** What is asked of a person, or of the flag, about a key that `host` shows. */
  const asked = async (host: string, acceptNew: boolean): Promise<Failure | 'taken'> => {
    const known = await readKnownHosts(join(folder, 'home'), folder)
    const rules = {
      label: host,
      address: host,
      name: { host, port: 22 },
      known: known.filter(({ file }) => file === own()),
      expectedFingerprint: undefined,
      damagedLine: () => suspect(host),
      ask: (key: UnknownHostKey) => connectQuestions(acceptNew, nobody).unknownHostKey(key),
      remember: () => Promise.resolve()
    }
    const shown = Buffer.from(KEY.split(' ')[2] ?? '', 'base64').fill(7, 19)
    return checkHostKey(shown, rules).then(() => 'taken' as const, failureOf)
  }

  const HASHED = `|1|${'A'.repeat(27)}=|${'B'.repeat(27)}=`
  /** What is left of the line of alpha, or may be. */
  const TORN: readonly (readonly [string, string])[] = [
    ...[3, 5, 6, 9, 17, 18, 30, 45, 60, KEY.length - 1].map(
      (n) => [`its first ${n} characters`, KEY.slice(0, n)] as const
    ),
    ...[7, 12, 25, 60].map((n) => [`what comes after ${n} characters`, KEY.slice(n)] as const),
    ['its end after a key of nothing', `alpha ssh-ed25519 ${KEY.slice(60)}`],
    ['zeros', '\0'.repeat(KEY.length)],
    ['zeros after its beginning', `${KEY.slice(0, 30)}${'\0'.repeat(50)}`],
    ['zeros before its end', `${'\0'.repeat(6)}${KEY.slice(6)}`],
    ['another key behind half of its own', `${KEY.slice(0, 40)}${BETA}`],
    ['half of another before its own', `${BETA.slice(0, 40)}${KEY}`],
    ['another type than its key says', KEY.replace('ssh-ed25519', 'ssh-rsa')],
    ['a revocation that is cut short', `@revoked * ${KEY.split(' ').slice(1).join(' ').slice(0, 40)}`],
    ['a mark that nobody knows', `@trusted ${KEY}`],
    ['a hash that is cut short', HASHED.slice(0, 40)]
  ]

  it.each(TORN)('of which one is torn are said, and no key is taken unseen for it: %s', async (_, torn) => {
    await tally.tried(async () => {
      writeFileSync(own(), `# mine\n${BETA}\n${torn}\n`)
      const check = async (file: string): Promise<void> => {
        expect(await suspect('alpha')).toBe(file)
        for (const acceptNew of [true, false])
          expect(await asked('alpha', acceptNew)).toMatchObject({ kind: 'host-key-unknown', damagedIn: file })
      }
      await check(own())
      const [said = '', ...more] = putDamagedAside(folder)
      expect(said).toContain(`1 line of ${own()} cannot be read, and was put aside into ${aside()}.`)
      expect(more).toEqual([])
      await check(aside())
      expect([readFileSync(own(), 'utf8'), readFileSync(aside(), 'utf8')]).toEqual([`# mine\n${BETA}\n`, `${torn}\n`])
      expect(putDamagedAside(folder)).toEqual([])
      writeFileSync(own(), `garbage\n${BETA}\n`)
      expect(putDamagedAside(folder)).toHaveLength(1)
      expect(readFileSync(aside(), 'utf8')).toBe(`${torn}\ngarbage\n`)
    })
  })

  it('of which one is torn keep nobody from a host that it cannot be of', async () => {
    await tally.tried(async () => {
      for (const torn of [KEY.replace('alpha', 'gamma').slice(0, -9), KEY.replace('alpha', HASHED).slice(0, -9)]) {
        writeFileSync(own(), `${BETA}\n${torn}\n`)
        for (const host of ['alpha', 'delta']) expect(await asked(host, true)).toBe('taken')
      }
    })
  })

  it('that a host was rebuilt for are forgotten where one is torn', async () => {
    await tally.tried(async () => {
      writeFileSync(own(), `${KEY.slice(0, -9)}\n${KEY.replace('alpha', 'gamma').slice(0, -9)}\n`)
      putDamagedAside(folder)
      await forgetDamaged(folder, 'alpha', 22)
      expect([await asked('alpha', true), await suspect('gamma')]).toEqual(['taken', aside()])
    })
  })

  it.each(IN_ITS_PLACE)(
    'that a host was rebuilt for are forgotten, whatever is where torn ones are put: %s',
    async (_, make) => {
      await tally.tried(async () => {
        make(aside())
        writeFileSync(own(), `${KEY}\n${BETA}\n`)
        const settings = openSettings(folder)
        const addedAt = '2026-01-01T00:00:00.000Z'
        settings.update((before) => ({ ...before, hosts: [{ name: 'kvm-1', address: 'alpha', addedAt }] }))
        const core = { folder, settings, connections: { drop: () => Promise.resolve() } } as unknown as Core
        await forgetHostKey(core, 'kvm-1').catch(() => undefined)
        expect(readFileSync(own(), 'utf8')).toBe(`${BETA}\n`)
      })
    }
  )

  it('of which some are torn are told by the window, whoever has put them aside, once for the same lines', async () => {
    await tally.tried(async () => {
      const told = async (): Promise<readonly string[]> => {
        const live = new LiveCore({ folder, cache: join(folder, 'cache'), root: folder })
        const unread = (live.notices.all.value ?? []).filter(({ acknowledged }) => !acknowledged)
        live.notices.acknowledge(undefined)
        await live.close()
        return unread.map(({ text }) => text)
      }
      expect(await told()).toEqual([])
      writeFileSync(own(), `${KEY.slice(0, -9)}\n`)
      putDamagedAside(folder)
      expect(await told()).toEqual([containing(`1 line of ${own()} cannot be read, and was put aside into ${aside()}`)])
      expect(await told()).toEqual([])
      writeFileSync(own(), `${BETA.slice(0, -9)}\n`)
      expect(await told()).toHaveLength(1)
      expect(await told()).toEqual([])
    })
  })

  it.each([
    ['nothing', ''],
    ['no line end', BETA],
    ['lines of DOS', `${BETA}\r\n\r\n# x\r\n`],
    [
      'remarks and hashes',
      `# x\n\n  # y\n${KEY.replace('alpha', HASHED)} root@alpha\n@cert-authority * ${KEY.slice(6)}\n`
    ],
    [
      'a revocation, and names of all kinds',
      `@revoked * ${KEY.slice(6)}\n${KEY.replace('alpha', '[a::1]:22,*.b,!c')}\n`
    ]
  ])('that can all be read stay as they are: %s', async (_, content) => {
    await tally.tried(() => {
      writeFileSync(own(), content)
      expect(putDamagedAside(folder)).toEqual([])
      expect([readFileSync(own(), 'utf8'), existsSync(aside())]).toEqual([content, false])
    })
  })

  it.each(IN_ITS_PLACE)('of which some are torn are said, whatever is where these are put: %s', async (what, make) => {
    await tally.tried(async () => {
      make(aside())
      writeFileSync(own(), `${BETA}\n${KEY.slice(0, -9)}\n`)
      expect(putDamagedAside(folder).join()).toContain(`1 line of ${own()} cannot be read`)
      expect(await asked('alpha', true)).toMatchObject({ kind: 'host-key-unknown', damagedIn: aside() })
      expect(readFileSync(aside(), 'utf8')).toBe(`${KEY.slice(0, -9)}\n`)
      expect(await asked('beta', true)).toMatchObject({ kind: 'host-key-changed' })
      expect(readdirSync(folder).filter((name) => name.includes('.broken-'))).toHaveLength(1)
    })
  })

  it('of which some are torn are said where nothing can be put aside', async () => {
    await tally.tried(async () => {
      writeFileSync(own(), `${KEY.slice(0, -9)}\n`)
      const [said = ''] = whileLocked(own(), () => putDamagedAside(folder))
      expect(said).toContain(`1 line of ${own()} cannot be read, and could not be put aside`)
      expect([readFileSync(own(), 'utf8'), existsSync(aside())]).toEqual([`${KEY.slice(0, -9)}\n`, false])
      expect(await asked('alpha', true)).toMatchObject({ kind: 'host-key-unknown', damagedIn: own() })
    })
  })

  it('of which some are torn are told by the window and by the terminal', async () => {
    await tally.tried(async () => {
      writeFileSync(own(), `${KEY.slice(0, -9)}\n`)
      const live = new LiveCore({ folder, cache: join(folder, 'cache'), root: folder })
      const told = (live.notices.all.value ?? []).map(({ title, text }) => `${title}: ${text}`)
      await live.close()
      expect(told).toEqual([containing(`Some known host keys cannot be read: 1 line of ${own()}`)])
      writeFileSync(own(), 'garbage\n')
      const notes: string[] = []
      const out = { json: false, note: (text: string) => void notes.push(text) }
      vi.stubEnv('STILLPOINT_HOME', folder)
      const { core, interrupts } = openSession(out as unknown as Output, nobody, false)
      vi.unstubAllEnvs()
      interrupts.close()
      await core.close()
      expect(notes).toEqual([containing(`1 line of ${own()} cannot be read`)])
    })
  })

  it.each(IN_ITS_PLACE)('that cannot be read are no reason to take a key for new: %s', async (_, make) => {
    for (const where of ['our file', "the operator's"])
      await tally.tried(async () => {
        mkdirSync(join(folder, 'home/.ssh'), { recursive: true })
        const file = where === 'our file' ? own() : join(folder, 'home/.ssh/known_hosts')
        make(file)
        const error: unknown = await read().catch((thrown: unknown) => thrown)
        expect(failureOf(error)).toMatchObject({ kind: 'io', path: file })
        rmSync(file, { recursive: true })
      })
  })

  it('are none where the file is a link to /dev/null', async () => {
    await tally.tried(async () => {
      symlinkSync('/dev/null', own())
      expect(await read()).toBe(0)
    })
  })
})

describe('notices', () => {
  const said = (n: number, host = 'bad') => ({
    id: `n-${n}-${host}`,
    at: '2026-11-22T20:17:44.000Z',
    severity: 'failure' as const,
    title: `${host} ${n}`,
    text: '',
    host
  })
  const path = (): string => join(folder, 'notices.json')

  it.each(
    NONSENSE.filter(
      ([, content]) => content.toString() !== '[]' && content !== '[[[[]]]]' && !String(content).endsWith(']]')
    )
  )('that cannot be understood are kept aside, and said: %s', async (_, content) => {
    await tally.tried(() => {
      writeFileSync(path(), content)
      const notices = new Notices(path())
      expect(notices.all.value?.map(({ title }) => title)).toEqual(['Earlier notices could not be read'])
      notices.add(said(1))
      expect(new Notices(path()).all.value).toHaveLength(2)
      const aside = readdirSync(folder).find((name) => name.includes('.broken-')) ?? ''
      expect(readFileSync(join(folder, aside)).equals(Buffer.from(content))).toBe(true)
    })
  })

  it.each(IN_ITS_PLACE)('start with what is in their place: %s', async (_, make) => {
    await tally.tried(() => {
      make(path())
      const notices = new Notices(path())
      notices.add(said(1))
      expect(notices.all.value).toHaveLength(2)
    })
  })

  it.each([
    null,
    7,
    {},
    { ...said(2), at: 'now' },
    { ...said(2), severity: 'doom' },
    { ...said(2), acknowledged: 'no' }
  ])('pass over one that is none, and keep the others: %j', async (nonsense) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify([nonsense, { ...said(1), acknowledged: false }]))
      expect(new Notices(path()).all.value?.map(({ id }) => id)).toEqual(['n-1-bad'])
    })
  })

  const NEWER: readonly object[] = [
    { ...said(2), severity: 'critical', acknowledged: false },
    { ...said(2), goTo: { screen: 'vault' }, acknowledged: false },
    { ...said(2), about: [{ what: 'moon' }], acknowledged: false },
    { ...said(2), acknowledged: 'by somebody' },
    { ...said(2), acknowledged: false, colour: 'red' },
    { id: 'n-2-bad' }
  ]
  it.each(NEWER)('of a newer Stillpoint are carried along: %j', async (newer) => {
    await tally.tried(() => {
      writeFileSync(path(), JSON.stringify([newer, { ...said(1), acknowledged: false }]))
      const notices = new Notices(path())
      notices.add(said(3))
      notices.acknowledge('n-1-bad')
      const kept = JSON.parse(readFileSync(path(), 'utf8')) as { readonly id: string }[]
      expect(kept).toContainEqual(newer)
      expect(kept.map(({ id }) => id).sort()).toEqual(['n-1-bad', 'n-2-bad', 'n-3-bad'])
    })
  })

  it('of a newer Stillpoint without end have their share of the room', async () => {
    await tally.tried(() => {
      const newer = (n: number): object => ({ ...said(n), severity: 'critical', text: 'x'.repeat(20_000) })
      const all = Array.from({ length: 700 }, (_, n) => newer(n))
      writeFileSync(path(), JSON.stringify([{ ...said(1000), acknowledged: false }, ...all]))
      const notices = new Notices(path())
      notices.add(said(1001))
      expect(statSync(path()).size).toBeLessThan(5_000_000)
      expect(notices.all.value?.map(({ id }) => id)).toEqual(['n-1001-bad', 'n-1000-bad'])
    })
  })

  it('that two Stillpoints have are all there afterwards, and those that were read in one are', async () => {
    await tally.tried(() => {
      const [one, other] = [new Notices(path()), new Notices(path())]
      one.add(said(1))
      other.add(said(2))
      one.add(said(3))
      other.acknowledge('n-1-bad')
      one.acknowledge('n-2-bad')
      const all = new Notices(path()).all.value ?? []
      expect(new Map(all.map(({ id, acknowledged }) => [id, acknowledged]))).toEqual(
        new Map([
          ['n-1-bad', true],
          ['n-2-bad', true],
          ['n-3-bad', false]
        ])
      )
    })
  })

  it('that cannot be written are told all the same, and that they cannot be is told once', async () => {
    await tally.tried(() => {
      writeFileSync(join(folder, 'file'), '')
      const notices = new Notices(join(folder, 'file', 'notices.json'))
      for (let n = 0; n < 5; n += 1) notices.add(said(n))
      notices.acknowledge('n-1-bad')
      const titles = notices.all.value?.map(({ title }) => title) ?? []
      expect(titles.filter((title) => title === 'Notices cannot be kept')).toHaveLength(1)
      expect(titles.filter((title) => title.startsWith('bad'))).toHaveLength(5)
    })
  })

  it('that cannot be kept are told so again, where they could be meanwhile', async () => {
    await tally.tried(() => {
      const inTheWay = join(folder, 'file')
      writeFileSync(inTheWay, '')
      const notices = new Notices(join(inTheWay, 'notices.json'))
      notices.add(said(1))
      rmSync(inTheWay)
      notices.add(said(2))
      notices.close()
      expect(new Notices(join(inTheWay, 'notices.json')).all.value).toHaveLength(3)
      rmSync(inTheWay, { recursive: true })
      writeFileSync(inTheWay, '')
      for (let n = 3; n < 6; n += 1) notices.add(said(n))
      const titles = notices.all.value?.map(({ title }) => title) ?? []
      expect(titles.filter((title) => title === 'Notices cannot be kept')).toHaveLength(2)
    })
  })

  it('that cannot be read just now are neither put aside nor written over, and are there when they can be', async () => {
    await tally.tried(() => {
      new Notices(path()).add(said(1))
      const good = readFileSync(path())
      rmSync(path())
      symlinkSync('/proc/self/mem', path()) // EIO
      const notices = new Notices(path())
      notices.add(said(2))
      notices.acknowledge('n-2-bad')
      expect(notices.all.value?.map(({ title }) => title)).toEqual(['bad 2', 'Notices cannot be kept'])
      expect(readdirSync(folder)).toEqual(['notices.json'])
      expect(readlinkSync(path())).toBe('/proc/self/mem')
      rmSync(path())
      writeFileSync(path(), good)
      notices.add(said(3))
      notices.close()
      const kept = new Notices(path()).all.value ?? []
      expect(kept.map(({ id }) => id)).toEqual(expect.arrayContaining(['n-1-bad', 'n-2-bad', 'n-3-bad']))
      expect(readdirSync(folder)).toEqual(['notices.json'])
    })
  })

  it('that cannot be read any more are not written over', async () => {
    await tally.tried(() => {
      const notices = new Notices(path())
      notices.add(said(1))
      rmSync(path())
      symlinkSync('/proc/self/mem', path()) // EIO
      notices.add(said(2))
      notices.close()
      expect(readlinkSync(path())).toBe('/proc/self/mem')
      expect(notices.all.value).toHaveLength(3)
    })
  })

  it('may be changed by whoever listens to them', async () => {
    await tally.tried(() => {
      const notices = new Notices(path())
      notices.all.listen((all) => {
        if (all.some(({ acknowledged }) => !acknowledged)) notices.acknowledge(undefined)
      })
      notices.add(said(1))
      expect(new Notices(path()).all.value?.map(({ acknowledged }) => acknowledged)).toEqual([true])
    })
  })

  it('of one host without end push out nothing that another has to say', async () => {
    await tally.tried(() => {
      const notices = new Notices(path())
      for (let n = 0; n < 3; n += 1) notices.add(said(n, 'good'))
      for (let n = 0; n < 600; n += 1) notices.add({ ...said(n), text: 'x'.repeat(20_000) })
      notices.close()
      const all = notices.all.value ?? []
      expect(all.filter(({ host }) => host === 'good')).toHaveLength(3)
      expect(all).toHaveLength(200)
      expect(statSync(path()).size).toBeLessThan(2_000_000)
    })
  })
})

describe('what the stores of a host held', () => {
  it('takes no more room than a host may have, however many stores it names, and none of another host', async () => {
    await tally.tried(async () => {
      const broken = Array.from({ length: 2000 }, (_, n) => ({ path: `/p/${n}`, reason: 'x'.repeat(3000) }))
      const good = { kind: 'host', host: 'good', dir: '/srv/points' } as const
      await rememberListing(folder, good, { points: [], broken: broken.slice(0, 1), marks: {} })
      const bad = (n: number): Place => ({ kind: 'host', host: 'bad', dir: `/srv/${n}` })
      for (let n = 0; n < 12; n += 1) await rememberListing(folder, bad(n), { points: [], broken, marks: {} })
      const files = readdirSync(join(folder, 'known-points'), { recursive: true, withFileTypes: true })
      const sizes = files.filter((each) => each.isFile()).map((each) => statSync(join(each.parentPath, each.name)).size)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2 << 20)
      expect((await lastListing(folder, good))?.listing.broken).toHaveLength(1)
      expect((await lastListing(folder, bad(11)))?.listing.broken).toHaveLength(2000)
    })
  })
})

describe('what is only remembered', () => {
  const place = { kind: 'local', dir: '/srv/points' } as const
  const listing = { points: [], broken: [], marks: {} }

  it.each([
    ...NONSENSE.map(([what, content]) => [what, (path: string) => writeFileSync(path, content)] as const),
    ...IN_ITS_PLACE
  ])('counts as not known: %s', async (_, make) => {
    await tally.tried(async () => {
      await rememberListing(folder, place, listing)
      const [host = ''] = readdirSync(join(folder, 'known-points'))
      const [name = ''] = readdirSync(join(folder, 'known-points', host))
      rmSync(join(folder, 'known-points', host, name))
      make(join(folder, 'known-points', host, name))
      expect(await lastListing(folder, place)).toBeUndefined()
      await rememberListing(folder, place, listing)
    })
    await tally.tried(() => {
      mkdirSync(join(folder, 'policies'))
      make(join(folder, 'policies', 'alpha.jsonl.gz'))
      expect(knownPolicies(folder, 'alpha')).toBeUndefined()
    })
    await tally.tried(() => {
      make(join(folder, 'window.json'))
      const places = new WindowPlaces(join(folder, 'window.json'))
      expect(places.get('1x1@0,0')).toBeUndefined()
      places.set('1x1@0,0', { x: 0, y: 0, width: 10, height: 10, maximized: false })
    })
  })

  it.each([1e300, -1e300, 0.5, '7', null, 1e9])('keeps a window on the screen: %j', async (odd) => {
    for (const side of ['x', 'y', 'width', 'height'])
      await tally.tried(() => {
        const place = { x: 0, y: 0, width: 10, height: 10, maximized: false, [side]: odd }
        writeFileSync(join(folder, 'window.json'), JSON.stringify({ places: [{ setup: 's', place }] }))
        expect(new WindowPlaces(join(folder, 'window.json')).get('s')).toBeUndefined()
      })
  })
})

describe('the log of errors', () => {
  const bug = (n: number, message = 'Error: boom\n    at x') =>
    ({ kind: 'bug', reference: `ref${n}`, message }) as const
  const log = (): string => readFileSync(join(folder, 'errors.log'), 'utf8')
  const logged = (): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

  it('counts what comes again, and names where it is written whole', async () => {
    await tally.tried(() => {
      const report = errorLog(folder)
      for (let n = 0; n < 5000; n += 1) report(bug(n))
      expect(log().split('\n')).toHaveLength(1 + 1 + 9 + 2 + 1)
      expect(log()).toContain('ref9 the same as ref0, 10 times so far')
      expect(log()).toContain('1000 times so far')
    })
  })

  it('has a limit of half a MiB and a message, whatever comes', async () => {
    for (const length of [10, 1000, 100_000, 5_000_000])
      await tally.tried(() => {
        const report = errorLog(folder)
        for (let n = 0; n < 300; n += 1) report(bug(n, `${n}${'x'.repeat(length)}`))
        expect(logged()).toBeLessThan((512 + 64) << 10)
      })
  })

  it.each(IN_ITS_PLACE)('is written where this is in its place, which is said once: %s', async (what, make) => {
    for (const name of ['errors.log', 'errors.1.log'])
      await tally.tried(() => {
        const told: string[] = []
        make(join(folder, name))
        if (name === 'errors.1.log') writeFileSync(join(folder, 'errors.log'), 'x'.repeat((1 << 20) + 1))
        const report = errorLog(folder, undefined, (text) => told.push(text))
        report(bug(1))
        const aside = readdirSync(folder).filter((file) => file.startsWith(`${name}.broken-`))
        // That passes for a file: it cannot be written, and can be replaced.
        const isOfKernel = what === 'a file of the kernel'
        const isUnwritten = isOfKernel && name === 'errors.log'
        expect(aside).toHaveLength(isOfKernel ? 0 : 1)
        for (const file of aside) expect(told[0]).toContain(join(folder, file))
        if (isUnwritten) expect(told[0]).toContain('cannot be written')
        else expect(log()).toContain('ref1 Error: boom')
        if (!isUnwritten && aside.length > 0) {
          rmSync(join(folder, name), { force: true })
          make(join(folder, name))
          report(bug(2, 'Error: again'))
          expect(log()).toContain('ref2 Error: again')
        }
        expect(told).toHaveLength(isOfKernel && !isUnwritten ? 0 : 1)
        for (const file of readdirSync(folder)) rmSync(join(folder, file), { recursive: true })
      })
  })

  it.each([
    ['in health', ''],
    ['full', 'x'.repeat((1 << 20) + 1)]
  ])('is written on where the one before can be neither looked at nor moved: %s', async (how, content) => {
    await tally.tried(() => {
      const told: string[] = []
      writeFileSync(join(folder, 'errors.log'), content)
      symlinkSync('x'.repeat(300), join(folder, 'errors.1.log'))
      const report = errorLog(folder, undefined, (text) => told.push(text))
      for (let n = 0; n < 3; n += 1) report(bug(n, `Error: ${n}`))
      for (let n = 0; n < 3; n += 1) expect(log()).toContain(`ref${n} Error: ${n}`)
      expect(told).toHaveLength(how === 'full' ? 1 : 0)
      expect(told.join()).not.toContain('cannot be written')
      for (const text of told) expect(text).toContain('errors.1.log')
    })
  })

  it('says once that it cannot be written, and is the cause of no other error', async () => {
    await tally.tried(() => {
      const told: string[] = []
      writeFileSync(join(folder, 'file'), '')
      const report = errorLog(join(folder, 'file'), undefined, (text) => told.push(text))
      for (let n = 0; n < 5; n += 1) report(bug(n, `Error: ${n}`))
      expect(told).toHaveLength(1)
      expect(told[0]).toContain('cannot be written')
    })
  })
})
