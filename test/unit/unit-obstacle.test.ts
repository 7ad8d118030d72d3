import { describe, expect, it } from 'vitest'
import { knownProperties } from '../../src/engine/jobs/known-properties.ts'
import { lookForObstacle, obstacleIn, type UnitFacts } from '../../src/engine/jobs/unit-obstacle.ts'
import { fakeShell } from '../../src/shell/fake.ts'

const facts: UnitFacts = {
  exitCode: 203,
  said: '',
  printed: '',
  program: '/var/lib/stillpoint/runtime/abc/node',
  mount: { target: '/var', options: 'rw,relatime' },
  selinux: 'off',
  label: '',
  fapolicyd: false,
  rules: []
}

describe('what keeps a host’s systemd from starting the engine', () => {
  it.each<[string, Partial<UnitFacts>, RegExp, RegExp]>([
    [
      'a mount without programs',
      { mount: { target: '/var', options: 'rw,nosuid,noexec' } },
      /\/var, where .*node lies, is mounted noexec/,
      /mount -o remount,exec \/var/
    ],
    [
      'a rule for all services',
      { rules: ['/etc/systemd/system/service.d/x.conf: NoExecPaths=/var'] },
      /service\.d\/x\.conf: NoExecPaths=\/var/,
      /ExecPaths=\/usr\/local\/libexec\/stillpoint/
    ],
    ['fapolicyd', { fapolicyd: true }, /fapolicyd runs there/, /fapolicyd-cli --file add .*runtime\/abc\/ /],
    [
      'SELinux',
      { selinux: 'enforcing', label: 'system_u:object_r:var_lib_t:s0' },
      /SELinux .* has the label system_u:object_r:var_lib_t:s0/,
      /restorecon -RFv \/usr\/local\/libexec\/stillpoint/
    ],
    ['nothing that is known', {}, /may not execute .*203\/EXEC/, /systemd-run --wait -- .*node --version/],
    [
      'SELinux that only notes',
      { selinux: 'permissive', label: 'x:x:var_lib_t:s0' },
      /203\/EXEC/,
      /systemd-run --wait/
    ],
    [
      'systemd itself',
      { exitCode: 1, said: 'Failed to start transient service unit: Access denied' },
      /exit code 1.*Access denied/,
      /systemctl status/
    ],
    [
      'what the engine meets as a unit',
      {
        exitCode: 1,
        printed: 'noise\n{"failure":{"kind":"io","path":"/var/lib/stillpoint","code":"EROFS","detail":"read-only"}}'
      },
      /starts as a service of this host, but cannot work as one: .*\/var\/lib\/stillpoint/,
      /./
    ]
  ])('is named with its fix: %s', (_, seen, reason, fix) => {
    const obstacle = obstacleIn({ ...facts, ...seen })
    expect(obstacle.reason).toMatch(reason)
    expect(obstacle.fix).toMatch(fix)
  })

  it('is looked for with what the host has: programs that it lacks are no obstacle', async () => {
    const shell = fakeShell({
      journalctl: '',
      findmnt: '/srv rw,noexec\n',
      systemctl: { exitCode: 3, stdout: 'inactive\n' },
      stat: { exitCode: 1 }
    })
    const obstacle = await lookForObstacle(shell, 'x.service', { exitCode: 203, stderr: '' })
    expect(obstacle.reason).toContain('/srv, where')
  })

  it('and a host where nobody can be asked says what systemd said', async () => {
    const obstacle = await lookForObstacle(fakeShell({}), 'x.service', { exitCode: 1, stderr: 'no bus' })
    expect(obstacle.reason).toContain('no bus')
  })
})

describe('a unit’s settings', () => {
  const wanted = ['Type=exec', 'KillMode=mixed', 'OOMPolicy=continue']

  it.each([
    ['239 (239-82.el8)', ['KillMode=mixed']],
    ['241 (241)', ['Type=exec', 'KillMode=mixed']],
    ['252 (252.39-1~deb12u1)', wanted]
  ])('are those that systemd %s knows, since it refuses a unit with others', async (version, known) => {
    const shell = fakeShell({ 'systemctl --version': `systemd ${version}\n+PAM +AUDIT\n` })
    expect(await knownProperties(shell, wanted)).toEqual(known)
  })
})
