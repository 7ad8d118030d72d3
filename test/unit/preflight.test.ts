import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { preflightRestore } from '../../src/engine/restore/plan-restore.ts'
import type { PointTexts, PreflightItem } from '../../src/shared/engine-protocol.ts'
import type { RestoreSpec } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import { fakeShell, type FakeAnswer, type FakeShell } from '../../src/shell/fake.ts'
import { readPointTexts } from '../../src/store/point-texts.ts'
import { FILES, LATER_POINT, OTHER_VM, POINT, VM, makePoint, manifestOf, temporaryStore } from './store-points.ts'

const NAME = 'web <1>'
const LATER_UUID = '99999999-2222-4333-8444-555555555555'
const domainXml = (uuid = VM): string =>
  `<domain type='kvm'><name>web &lt;1&gt;</name><uuid>${uuid}</uuid><memory>1024</memory><os><type machine='q35'>hvm</type></os>
  <devices><interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/></interface>
  <disk type='file' device='disk'><source file='/a.qcow2'/><target dev='vda'/></disk></devices></domain>`
const HOST = JSON.stringify({
  networks: [{ name: 'lan', xml: "<network><name>lan</name><bridge name='virbr7'/></network>" }]
})

const texts = (change: Partial<PointTexts> = {}, manifest: Partial<Manifest> = {}): PointTexts => ({
  manifest: JSON.stringify(manifestOf(FILES, manifest)),
  domain: domainXml(),
  host: HOST,
  ...change
})

const spec = (store: string, change: Partial<RestoreSpec> = {}): RestoreSpec => ({
  kind: 'restore',
  vm: VM,
  vmName: NAME,
  hostName: 'beta',
  point: POINT,
  store,
  mode: 'boot',
  replace: false,
  ...change
})

/** A host with these VMs, uuid by name, and no network of its own. */
function hostWith(vms: Readonly<Record<string, string>> = {}, { secrets = '', writtenOut = 1 } = {}): FakeShell {
  const uuids = Object.values(vms)
  const answer = (argv: readonly string[]): FakeAnswer | string => {
    const [program, verb = '', subject = ''] = argv
    if (program === 'qemu-img') return JSON.stringify({ required: writtenOut })
    // Several commands in one, each with marks behind it.
    if (verb.includes('; echo ')) return batch(verb)
    if (verb === 'domstate' && !uuids.includes(subject))
      return { exitCode: 1, stderr: `error: failed to get domain '${subject}'\nerror: Domain not found` }
    if (verb === 'list')
      return Object.entries(vms)
        .map(([name, uuid]) => `${uuid} ${name}\n`)
        .join('')
    if (verb === 'domstate') return 'shut off (unknown)'
    if (verb === 'dominfo') return 'Persistent:     yes\nAutostart:      disable'
    if (verb === 'dumpxml') return domainXml(subject)
    if (verb === 'secret-list') return secrets
    return ''
  }
  const batch = (text: string): string =>
    [...text.matchAll(/(?:^|; )(\w[^;]*); echo ([\w-]+); echo --err [\w-]+/g)]
      .map(([, words = '', mark]) => `${outputOf(answer(['virsh', ...words.split(' ')]))}\n${mark}\n`)
      .join('')
  return fakeShell(({ argv }) => answer(argv))
}

const outputOf = (answer: FakeAnswer | string): string => (typeof answer === 'string' ? answer : '')

const stateOf = (items: readonly PreflightItem[], check: string): string[] =>
  items.filter((item) => item.check === check).map(({ state }) => state)

describe('an address that the operator has chosen for a screen', () => {
  const choice = { kind: 'listen' as const, address: '0.0.0.0' }
  const screen =
    "<graphics type='vnc' port='-1' autoport='yes'><listen type='address' address='203.0.113.9'/></graphics>"
  const asked = async (change: Partial<RestoreSpec>): Promise<(string | undefined)[]> => {
    const domain = domainXml().replace('</devices>', `${screen}</devices>`)
    const items = await preflightRestore(hostWith(), spec(await temporaryStore(), change), texts({ domain }))
    return items.flatMap(({ check, allow }) => (check === 'not allowed' ? [allow] : []))
  }

  it('is allowed by that, and only by a choice of this very restore', async () => {
    expect(await asked({ choices: [choice] })).toEqual([])
    expect(await asked({ remembered: [choice] })).toEqual(['listen=vnc:0.0.0.0'])
  })
})

describe('what a restore would meet, before its point is on the host', () => {
  it('is told from the small files: the point comes first, the rest is checked', async () => {
    const shell = hostWith()
    const items = await preflightRestore(shell, spec(await temporaryStore()), texts())
    expect(items.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'warning'])
    expect(items.map(({ check }) => check)).toEqual([
      'point',
      'machine type',
      'existing VM',
      'disks',
      'room',
      'networks'
    ])
    expect(items[0]?.text).toMatch(/not on this host yet: its .* come here first/)
    expect(items[3]?.text).toBe('vda goes to /var/lib/libvirt/images/a.qcow2')
    expect(items[4]?.text).toContain('there is room for the point and the disks')
    expect(items[5]?.text).toBe("Network lan will be made as it was on the point's host: bridge virbr7")
    expect(shell.lines.filter((line) => /save-image|define|start|destroy/.test(line))).toEqual([])
  })

  it('counts the point into the room that is needed', async () => {
    const huge = manifestOf(FILES).files.map((file) =>
      file.path === 'domain.xml' ? file : { ...file, sizeBytes: 2 ** 45 }
    )
    const items = await preflightRestore(hostWith(), spec(await temporaryStore()), texts({}, { files: huge }))
    expect(items.filter(({ state }) => state === 'problem')).toMatchObject([
      { check: 'room', text: expect.stringContaining('the point') as string }
    ])
  })

  it.each([
    ['a medium', 'boot/medium-0', 'the media'],
    ['firmware variables', 'nvram.fd', 'what the VM starts with'],
    ['state of its TPM', 'tpm/tpm2/tpm2-00.permall', 'what the VM starts with']
  ])('counts what is written beside the disks: %s', async (_what, path, forWhat) => {
    const bytes = { sizeBytes: 2 ** 46, sha256: '0'.repeat(64) }
    const boot = path.startsWith('boot/') && {
      boot: [{ role: 'medium' as const, file: path, originalPath: '/nowhere/a.iso' }]
    }
    const manifest = {
      files: [...manifestOf(FILES).files.filter((file) => file.path !== path), { path, ...bytes }],
      ...boot,
      ...(path === 'nvram.fd' && { nvram: { file: path, originalPath: '/nowhere/vars.fd' } }),
      ...(path.startsWith('tpm/') && { tpm: { files: [path] } })
    }
    const items = await preflightRestore(hostWith(), spec(await temporaryStore()), texts({}, manifest))
    expect(items.find(({ check, state }) => check === 'room' && state === 'problem')?.text).toContain(forWhat)
  })

  it.each([
    ['replaced if that is asked for', true, 'warning'],
    ['a problem otherwise', false, 'problem']
  ])('names the VM of that name: %s', async (_what, replace, state) => {
    const items = await preflightRestore(
      hostWith({ [NAME]: OTHER_VM }),
      spec(await temporaryStore(), { replace }),
      texts()
    )
    expect(items.filter(({ check }) => check === 'existing VM')).toMatchObject([
      { state, vm: { uuid: OTHER_VM, name: NAME } }
    ])
  })

  it('takes a network that nobody knows for a problem, also where host.json is no JSON', async () => {
    for (const host of ['{}', 'not JSON', '[1'])
      expect(
        stateOf(await preflightRestore(hostWith(), spec(await temporaryStore()), texts({ host })), 'networks')
      ).toEqual(['problem'])
  })

  // field case 7
  it.each([
    [
      'is not here',
      '',
      'boot',
      'problem',
      /Disk vda is encrypted, and the secret .*\(.*, for volume \/a\.img\) is not/
    ],
    ['is not here, and only needed later', '', 'define', 'warning', /does not start without it/],
    ['is here', ` ${LATER_UUID}   Unused\n`, 'boot', 'ok', /are here/]
  ] as const)('says where the secret of an encrypted disk %s', async (_what, secrets, mode, state, text) => {
    const domain = domainXml().replace(
      '/></disk>',
      `/><encryption format='luks'><secret type='passphrase' uuid='${LATER_UUID}'/></encryption></disk>`
    )
    const host = JSON.stringify({
      networks: [{ name: 'lan', xml: '<network/>' }],
      secrets: [{ uuid: LATER_UUID, usage: 'volume /a.img' }]
    })
    const items = await preflightRestore(
      hostWith({}, { secrets }),
      spec(await temporaryStore(), { mode }),
      texts({ domain, host })
    )
    expect(items.filter(({ check }) => check === 'secrets')).toMatchObject([
      { state, text: expect.stringMatching(text) as string }
    ])
  })

  it.each<[string, PointTexts, RegExp]>([
    ['of another point', texts({}, { id: LATER_POINT }), /point-format/],
    ['that is no manifest', texts({ manifest: '{"format":"x"}' }), /point-format/],
    ['with the definition of another VM', texts({ domain: domainXml(OTHER_VM) }), /point-unsafe/],
    ['with no definition', texts({ domain: '' }), /bad-output/]
  ])('refuses files %s', async (_what, files, failure) => {
    await expect(preflightRestore(hostWith(), spec(await temporaryStore()), files)).rejects.toThrow(failure)
  })

  it('needs one or the other: without files and without the point it is not found', async () => {
    await expect(preflightRestore(hostWith(), spec(await temporaryStore()))).rejects.toThrow(/not-found/)
  })

  it('counts an image as what it takes once it is written: a compressed one may be small', async () => {
    const store = await temporaryStore()
    await makePoint(store, { ...FILES, 'domain.xml': Buffer.from(domainXml()), 'host.json': Buffer.from(HOST) })
    const stateWith = async (bytes: number): Promise<string[]> =>
      stateOf(await preflightRestore(hostWith({}, { writtenOut: bytes }), spec(store)), 'room')
    expect(await stateWith(1)).toEqual(['ok'])
    expect(await stateWith(2 ** 52)).toEqual(['problem'])
  })

  it('believes the point that is there, not the files', async () => {
    const store = await temporaryStore()
    const { dir } = await makePoint(store, {
      ...FILES,
      'domain.xml': new TextEncoder().encode(domainXml()),
      'host.json': new TextEncoder().encode(HOST)
    })
    const items = await preflightRestore(hostWith(), spec(store), texts({ domain: '' }))
    expect(items[0]).toMatchObject({
      check: 'point',
      state: 'ok',
      text: expect.stringContaining('on this host') as string
    })
    await writeFile(join(dir, 'memory.save'), 'short')
    await expect(preflightRestore(hostWith(), spec(store), texts())).rejects.toThrow(/point-damaged/)
  })
})

describe('the small files of a point', () => {
  const files = { ...FILES, 'host.json': new TextEncoder().encode(HOST) }

  it('are what is in its directory', async () => {
    const store = await temporaryStore()
    const { manifest } = await makePoint(store, files)
    const read = await readPointTexts(store, POINT)
    expect(JSON.parse(read.manifest)).toEqual(manifest)
    expect([read.domain, read.host]).toEqual(['<domain/>\n', HOST])
  })

  it('are not read without bound', async () => {
    const store = await temporaryStore()
    await makePoint(store, { ...files, 'host.json': new Uint8Array(512 * 1024 + 1) })
    await expect(readPointTexts(store, POINT)).rejects.toThrow(/output-too-large/)
    await expect(readPointTexts(store, LATER_POINT)).rejects.toThrow(/not-found/)
  })
})
