import { describe, expect, it } from 'vitest'
import type { Core } from '../../../src/main/core/core.ts'
import { examineHost } from '../../../src/main/core/hosts/examine-host.ts'
import { decideAutostart } from '../../../src/main/core/hosts/vm-autostart.ts'
import { fakeShell, type FakeShell } from '../../../src/shell/fake.ts'

const VM = '11111111-2222-4333-8444-555555555555'
const NOTE = `<metadata><s:held xmlns:s='urn:stillpoint:held-autostart' host='alpha' machine='a'/></metadata>`

/** A host with one VM, which a restore may have left without autostart. */
function hostWith(vm: { readonly note: string; readonly state: string } | undefined, machineId: string): FakeShell {
  return fakeShell(({ argv }) => {
    if (argv[0] === 'virsh') return argv[1] === 'domstate' ? `${vm?.state ?? ''} (booted)` : ''
    const mark = argv[4] ?? ''
    const xml = `<domain type='kvm' id='1'><name>web1</name><uuid>${VM}</uuid><memory>1</memory>${vm?.note ?? ''}<devices/></domain>`
    const ofVm = vm && {
      [`state ${VM}`]: `${vm.state} (booted)`,
      [`info ${VM}`]: 'Persistent: yes\nAutostart: disable\nManaged save: no',
      [`xml ${VM}`]: xml
    }
    const said = { begin: '', 'machine-id': machineId, 'list-status': '0', list: vm ? VM : '', ...ofVm, end: '' }
    return Object.entries(said)
      .map(([name, text]) => `\n${mark} ${name}\n${text}\n`)
      .join('')
  })
}

function coreWith(shells: Readonly<Record<string, FakeShell>>): Core {
  const hosts = Object.keys(shells).map((name) => ({ name }))
  return {
    settings: { read: () => ({ hosts, places: [] }) },
    connections: {
      connection: (host: string) => Promise.resolve({ shell: shells[host] }),
      engine: () => Promise.resolve({ call: () => Promise.resolve([]) })
    }
  } as unknown as Core
}

const held = { note: NOTE, state: 'running' }

describe('an autostart that a restore has left off', () => {
  it.each([
    [true, `virsh autostart ${VM}`],
    [false, `virsh autostart ${VM} --disable`]
  ])('is turned on: %s, and its note goes', async (on, line) => {
    const beta = hostWith(held, 'b')
    await expect(decideAutostart(coreWith({ beta }), 'beta', 'web1', on)).resolves.toMatchObject({ uuid: VM })
    expect(beta.lines.filter((each) => /autostart|metadata/.test(each) && each.startsWith('virsh'))).toEqual([
      line,
      `virsh metadata ${VM} --uri urn:stillpoint:held-autostart --remove --config --live`
    ])
  })

  it('is what the doctor says of its host, with how the twin stands and what to type', async () => {
    const beta = hostWith(held, 'b')
    const gone = await examineHost(coreWith({ beta, alpha: hostWith(undefined, 'a') }), 'beta', true)
    expect(gone).toMatchObject([
      { kind: 'autostart', remedy: 'stillpoint vm autostart beta/web1, or with --off to leave it so', repaired: false }
    ])
    expect(gone[0]?.what).toContain('It neither runs nor starts there any more')
    const runs = await examineHost(
      coreWith({ beta, alpha: hostWith({ note: '', state: 'running' }, 'a') }),
      'beta',
      true
    )
    expect(runs[0]?.what).toContain('It still is: running')
    expect(await examineHost(coreWith({ beta: hostWith({ note: '', state: 'running' }, 'b') }), 'beta', true)).toEqual(
      []
    )
  })
})
