import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseSshConfig, readSshConfig, type HostSettings } from '../../src/main/core/ssh/ssh-config.ts'

const home = '/home/me'
const settings = (text: string, alias: string, as = {}): HostSettings =>
  parseSshConfig(text, { homeDir: home }).settingsFor(alias, as)

describe('~/.ssh/config', () => {
  it('without a word about a host leaves everything open', () => {
    expect(settings('', 'kvm1')).toEqual({
      hostName: 'kvm1',
      user: undefined,
      port: undefined,
      identityFiles: [],
      identitiesOnly: false,
      certificateFiles: [],
      identityAgent: undefined,
      proxyJump: [],
      proxyCommand: undefined,
      hostKeyAlias: undefined
    })
  })

  it('takes the first value for a host, from all sections that fit, in any case', () => {
    const text =
      'Host kvm1 kvm2\n  hostname 10.0.0.1\n  PORT=2222\nHost *\n  Port 9\n  User root\nHost kvm*\n  User other\n'
    expect(settings(text, 'kvm1')).toMatchObject({ hostName: '10.0.0.1', port: 2222, user: 'root' })
    expect(settings(text, 'else')).toMatchObject({ hostName: 'else', port: 9, user: 'root' })
  })

  it('lets what was given elsewhere win', () => {
    expect(settings('Port 9\nUser x\n', 'kvm1', { user: 'y', port: 8 })).toMatchObject({ user: 'y', port: 8 })
  })

  it('heeds negated patterns', () => {
    expect(settings('Host *.lan !kvm1.lan\n  User root\n', 'kvm1.lan').user).toBeUndefined()
    expect(settings('Host *.lan !kvm1.lan\n  User root\n', 'kvm2.lan').user).toBe('root')
  })

  it('adds identity files up, and fills in their tokens', () => {
    const text = [
      'Host kvm1',
      '  HostName %h.example.org',
      '  User root',
      '  IdentityFile ~/.ssh/%h_%r',
      '  IdentityFile "%d/with space"',
      '  IdentityFile /keys/%n-%p-%%',
      '  IdentitiesOnly yes',
      'Host *',
      '  IdentityFile rel/%u',
      '  IdentityFile none'
    ].join('\n')
    expect(settings(text, 'kvm1')).toMatchObject({
      hostName: 'kvm1.example.org',
      identitiesOnly: true,
      identityFiles: [
        `${home}/.ssh/kvm1.example.org_root`,
        `${home}/with space`,
        '/keys/kvm1-22-%',
        `${home}/rel/${userInfo().username}`
      ]
    })
  })

  it.each([
    ['none', undefined],
    ['/run/agent.sock', '/run/agent.sock'],
    ['~/.1password/agent.sock', `${home}/.1password/agent.sock`],
    [
      '"~/Library/Group Containers/x.com.1password/t/agent.sock"',
      `${home}/Library/Group Containers/x.com.1password/t/agent.sock`
    ],
    ['%d/agents/%n-%r', `${home}/agents/kvm1-root`],
    ['SSH_AUTH_SOCK', '/from/session'],
    ['$OTHER_SOCK', '/from/other'],
    ['$NO_SUCH_SOCK', undefined],
    ['${OTHER_DIR}/agent', '/dir/agent']
  ])('names the agent to ask: IdentityAgent %s', (value, socket) => {
    vi.stubEnv('SSH_AUTH_SOCK', '/from/session')
    vi.stubEnv('OTHER_SOCK', '/from/other')
    vi.stubEnv('OTHER_DIR', '/dir')
    const text = `Host kvm1\n  User root\n  IdentityAgent ${value}\nHost *\n  IdentityAgent /of/all\n`
    expect(settings(text, 'kvm1').identityAgent).toEqual({ socket })
    expect(settings(text, 'kvm2').identityAgent).toEqual({ socket: '/of/all' })
  })

  it('adds certificates up', () => {
    const text = 'CertificateFile ~/a-cert.pub\nCertificateFile none\nCertificateFile /b-cert.pub\n'
    expect(settings(text, 'x').certificateFiles).toEqual([`${home}/a-cert.pub`, '/b-cert.pub'])
  })

  it('leads through one hop or several, or none', () => {
    expect(settings('ProxyJump a', 'x').proxyJump).toEqual(['a'])
    expect(settings('ProxyJump me@a:22,[::1]:2222, ssh://%h-gate', 'x').proxyJump).toEqual([
      'me@a:22',
      '[::1]:2222',
      'ssh://x-gate'
    ])
    expect(settings('ProxyJump none', 'x').proxyJump).toEqual([])
  })

  it('tells of a ProxyCommand, unless ProxyJump comes with it', () => {
    expect(settings('ProxyCommand nc -X 5 %h %p', 'x').proxyCommand).toBe('nc -X 5 %h %p')
    expect(settings('ProxyCommand none', 'x').proxyCommand).toBeUndefined()
    expect(settings('ProxyJump a\nProxyCommand nc', 'x').proxyCommand).toBeUndefined()
  })

  it('has Match sections, of which none starts a program', () => {
    const text =
      'Match host *.lan user root\n  Port 1\nMatch exec "touch /tmp/stillpoint-matched"\n  Port 2\nMatch !host a\n  Port 3\nMatch all\n  Port 4\n'
    expect(settings(text, 'a.lan', { user: 'root' }).port).toBe(1)
    expect(settings(text, 'a.lan', { user: 'me' }).port).toBe(3)
    expect(settings(text, 'a', { user: 'me' }).port).toBe(4)
  })

  it('lists its hosts, without patterns and twice nothing', () => {
    const text = 'Host kvm1 kvm2\nHost *\nHost kvm? !x kvm2 kvm3\nMatch host y\n'
    expect(parseSshConfig(text).entries).toEqual(['kvm1', 'kvm2', 'kvm3'])
  })

  it('may have DOS line ends, comments and blanks', () => {
    expect(settings('# mine\r\nHost kvm1 # here\r\n\tPort 2222\r\n\r\n', 'kvm1').port).toBe(2222)
  })

  it.each(['User "open\n', 'Match host\n'])('that does not parse (%j) is told', (text) => {
    expect(() => parseSshConfig(text)).toThrow(/bad-output/)
  })

  it.each(['0', '65536', 'x', '-1'])('with the port %s is told', (port) => {
    expect(() => settings(`Port ${port}`, 'x')).toThrow(/usage/)
  })
})

describe('including other files', () => {
  const dirs: string[] = []
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true })
  })

  function homeWith(files: Readonly<Record<string, string>>): string {
    const dir = mkdtempSync(join(tmpdir(), 'stillpoint-config-'))
    dirs.push(dir)
    mkdirSync(join(dir, '.ssh/config.d'), { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, '.ssh', name), text)
    return dir
  }

  it('goes by patterns, in order, and then on where it was', async () => {
    const config = await readSshConfig(
      homeWith({
        config: 'Include config.d/*.conf\nHost kvm1\n  Include more\n  Port 5\n',
        'config.d/b.conf': 'Host kvm2\n  Port 2\n',
        'config.d/a.conf': 'Host kvm1 kvm2\n  User root\n',
        more: 'Host kvm9\n  Port 9\n'
      })
    )
    expect(config.settingsFor('kvm1')).toMatchObject({ user: 'root', port: 5 })
    expect(config.settingsFor('kvm2')).toMatchObject({ user: 'root', port: 2 })
    expect(config.settingsFor('kvm9')).toMatchObject({ user: undefined, port: 9 })
    expect(config.entries).toEqual(['kvm1', 'kvm2', 'kvm9'])
  })

  it('of itself ends', async () => {
    const config = await readSshConfig(homeWith({ config: 'User root\nInclude config\n' }))
    expect(config.settingsFor('x').user).toBe('root')
  })

  it('of nothing is nothing, and so is no file at all', async () => {
    expect((await readSshConfig(homeWith({ config: 'Include nowhere\nUser a\n' }))).settingsFor('x').user).toBe('a')
    expect((await readSshConfig(homeWith({}))).entries).toEqual([])
  })
})

describe('the home folder', () => {
  it('is that of who we are unless given', () => {
    const { identityFiles } = parseSshConfig('IdentityFile ~/.ssh/x').settingsFor('x')
    expect(identityFiles).toEqual([join(homedir(), '.ssh/x')])
  })
})
