import { describe, expect, it } from 'vitest'
import { agentAnswers, guestTimeMs } from '../../src/libvirt/agent.ts'
import { domainByName, domainState, undefineDomain } from '../../src/libvirt/domains.ts'
import { watchStopResume } from '../../src/libvirt/events.ts'
import { imageInfo } from '../../src/libvirt/qemu-img.ts'
import { snapshotArguments, snapshotXml } from '../../src/libvirt/snapshot.ts'
import { quoteForVirsh, virsh, virshBatch } from '../../src/libvirt/virsh.ts'
import { failureOf, type Failure } from '../../src/shared/failure.ts'
import { fakeShell, type FakeCall } from '../../src/shell/fake.ts'

const UUID = '11111111-2222-4333-8444-555555555555'
const failureFrom = (promise: Promise<unknown>): Promise<Failure | undefined> =>
  promise.then(() => undefined, failureOf)
const refused = { exitCode: 1, stderr: 'error: failed to connect to the hypervisor\nerror: no' }

describe('virsh', () => {
  it('is told an exit code that nobody expects as a failure with its own words', async () => {
    expect(
      await failureFrom(
        virsh(
          fakeShell(() => refused),
          ['list', '--all']
        )
      )
    ).toEqual({
      kind: 'command-failed',
      command: 'virsh list --all',
      exitCode: 1,
      stderr: 'error: failed to connect to the hypervisor\nerror: no'
    })
    expect(
      await failureFrom(
        virsh(
          fakeShell(() => ({ signal: 'SIGKILL' })),
          ['list'],
          { expect: [0, 1] }
        )
      )
    ).toMatchObject({
      exitCode: undefined,
      stderr: expect.stringContaining('SIGKILL') as string
    })
  })

  it('asks once more when libvirtd has just ended for want of work, and not for any other reason', async () => {
    const reset = 'error: failed to connect to the hypervisor\nerror: Cannot recv data: Connection reset by peer'
    const answers = [
      { exitCode: 1, stderr: reset },
      { exitCode: 0, stdout: 'web1' }
    ]
    const shell = fakeShell(() => answers.shift() ?? refused)
    expect(await virsh(shell, ['list', '--name'])).toMatchObject({ stdout: 'web1' })
    expect(shell.calls).toHaveLength(2)
    await failureFrom(virsh(shell, ['list', '--name']))
    expect(shell.calls).toHaveLength(3)
  })

  it("talks to the system's libvirt, whatever the host prefers", async () => {
    const shell = fakeShell(() => '')
    await virsh(shell, ['list'])
    expect(shell.calls[0]?.options.env).toEqual({ LIBVIRT_DEFAULT_URI: 'qemu:///system' })
  })

  it("quotes for virsh's own parser", () => {
    expect(quoteForVirsh('plain-word_1.qcow2')).toBe('plain-word_1.qcow2')
    expect(quoteForVirsh('a b;c')).toBe("'a b;c'")
    expect(quoteForVirsh("it's")).toBe(String.raw`'it'\''s'`)
    expect(quoteForVirsh('')).toBe("''")
    expect(() => quoteForVirsh('a\0b')).toThrow()
  })

  it('answers a batch command by command', async () => {
    const shell = fakeShell(({ argv }: FakeCall) => {
      const mark = /echo (mark-\S+);/.exec(argv[1] ?? '')?.[1] ?? ''
      return {
        stdout: `one\n\n${mark}\n\n\n${mark}\n`,
        stderr: `error: ${mark}\nerror: no such thing\nerror: ${mark}\n`
      }
    })
    expect(await virshBatch(shell, [['hostname'], ['domstate', 'x']])).toEqual([
      { stdout: 'one\n\n', stderr: '', failed: false },
      { stdout: '\n', stderr: 'error: no such thing', failed: true }
    ])
  })

  it('refuses a batch that virsh did not understand or broke off', async () => {
    const notParsed = fakeShell(() => ({ exitCode: 1, stderr: "error: unknown command: 'x'" }))
    expect(await failureFrom(virshBatch(notParsed, [['x']]))).toMatchObject({ kind: 'command-failed' })
    const half = fakeShell(({ argv }) => `${/echo (mark-\S+);/.exec(argv[1] ?? '')?.[1] ?? ''}\n`)
    expect(await failureFrom(virshBatch(half, [['a'], ['b']]))).toMatchObject({ kind: 'bad-output' })
  })
})

describe('addressing domains', () => {
  it('does not take a libvirt that cannot be asked for an unknown domain', async () => {
    expect(
      await failureFrom(
        domainState(
          fakeShell(() => refused),
          UUID
        )
      )
    ).toMatchObject({ kind: 'command-failed' })
  })

  it('finds a name only as a whole, never as an ID or UUID', async () => {
    const shell = fakeShell(() => `${UUID} 1\n${UUID.replace('1', '2')} 1 \n`)
    expect(await domainByName(shell, '1')).toBe(UUID)
    expect(await domainByName(shell, UUID)).toBeUndefined()
    expect(await domainByName(shell, '1 ')).toBe(UUID.replace('1', '2'))
  })

  it('keeps firmware state when it undefines', async () => {
    const shell = fakeShell(() => '')
    await undefineDomain(shell, UUID)
    expect(shell.lines[0]).toContain('--keep-nvram --keep-tpm')
  })
})

describe('snapshots', () => {
  it('doubles the commas of paths, and names every disk', () => {
    const disks = [
      { target: 'vda', overlay: '/a,b c' },
      { target: 'vdb', skip: true }
    ] as const
    expect(snapshotArguments(UUID, { name: 'stillpoint', memoryFile: '/m,m', disks, live: true })).toEqual([
      'snapshot-create-as',
      UUID,
      '--name',
      'stillpoint',
      '--no-metadata',
      '--atomic',
      '--memspec',
      'file=/m,,m,snapshot=external',
      '--live',
      '--diskspec',
      'vda,snapshot=external,driver=qcow2,file=/a,,b c',
      '--diskspec',
      'vdb,snapshot=no'
    ])
    expect(snapshotArguments(UUID, { name: 'stillpoint', disks, live: false, quiesce: true })).toEqual(
      expect.arrayContaining(['--disk-only', '--quiesce'])
    )
  })

  it('names overlays that are there already, and the secret of one that is encrypted, whatever their names hold', () => {
    const secret = '22222222-2222-4333-8444-555555555555'
    const disks = [
      { target: 'vda', overlay: `/srv/<a> & 'b'.qcow2`, secret },
      { target: 'vdb', overlay: '/srv/b' },
      { target: 'sda', skip: true as const }
    ]
    const xml = snapshotXml({ name: 'stillpoint-1', memoryFile: '/m & m', disks, live: true })
    expect(xml).toBe(
      `<domainsnapshot><name>stillpoint-1</name><memory snapshot="external" file="/m &amp; m"/><disks>` +
        `<disk name="vda" snapshot="external" type="file"><driver type="qcow2"/><source file="/srv/&lt;a&gt; &amp; 'b'.qcow2">` +
        `<encryption format="luks"><secret type="passphrase" uuid="${secret}"/></encryption></source></disk>` +
        `<disk name="vdb" snapshot="external" type="file"><driver type="qcow2"/><source file="/srv/b"/></disk>` +
        `<disk name="sda" snapshot="no"/></disks></domainsnapshot>`
    )
    expect(snapshotXml({ name: 'x', disks: [], live: false })).toContain('<memory snapshot="no"/>')
  })
})

describe('watching events', () => {
  it("fails with virsh's words if there is no such domain", async () => {
    const shell = fakeShell(() => ({
      exitCode: 1,
      stderr: "2026 RPC_CLIENT_MSG_RX: x\nerror: failed to get domain 'x'\n"
    }))
    const watch = watchStopResume(shell, UUID, () => undefined, new AbortController().signal)
    expect(await failureFrom(watch)).toMatchObject({
      kind: 'command-failed',
      stderr: "error: failed to get domain 'x'"
    })
  })
})

describe('a guest agent', () => {
  it('that prints garbage does not answer, and has no time', async () => {
    const shell = fakeShell(() => '{"ret')
    expect(await agentAnswers(shell, UUID)).toBe(false)
    expect(await failureFrom(guestTimeMs(shell, UUID))).toMatchObject({ kind: 'bad-output' })
  })
})

describe('qemu-img', () => {
  it.each(['json:{}', 'nbd:x', 'relative', '-f'])('is never given %s for a file', async (path) => {
    const shell = fakeShell(() => '{}')
    expect(await failureFrom(imageInfo(shell, path, { format: 'qcow2' }))).toMatchObject({ kind: 'usage' })
    expect(shell.calls).toEqual([])
  })

  it.each(['', '[]', '{"virtual-size": -1}', '{"virtual-size": "x"}'])(
    'answers that are no answers are refused: %s',
    async (text) => {
      expect(
        await failureFrom(
          imageInfo(
            fakeShell(() => text),
            '/x',
            { format: 'raw' }
          )
        )
      ).toMatchObject({ kind: 'bad-output' })
    }
  )
})
