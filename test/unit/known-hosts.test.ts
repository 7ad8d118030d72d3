import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fingerprintOf,
  forgetHostKeys,
  forgetLine,
  judgeHostKey,
  keyTypeOf,
  knownHostName,
  knownKeyTypes,
  ownKnownHosts,
  parseKnownHosts,
  writeHostKey,
  type HostKeyVerdict
} from '../../src/main/core/ssh/known-hosts.ts'
import { comesToAnEnd } from '../patience.ts'

/** A key as it goes over the wire: its type, then something. */
function key(type: string, content: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), Buffer.from(content)])
}

const ours = key('ssh-ed25519', 'ours')
const other = key('ssh-ed25519', 'other')
const rsa = key('ssh-rsa', 'rsa')
const written = (of: Buffer): string => `${keyTypeOf(of)} ${of.toString('base64')}`
const offered = ['ssh-ed25519', 'ssh-rsa']

function judge(text: string, host = 'kvm1.lan', port = 22, shown = ours): HostKeyVerdict {
  return judgeHostKey(parseKnownHosts('/known', text), host, port, shown, offered)
}

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdefghij')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('a known_hosts file', () => {
  it.each([
    ['by name', `kvm1.lan ${written(ours)}`],
    ['in any case', `KVM1.lan ${written(ours)}`],
    ['among others, with a comment', `10.0.0.1,kvm1.lan,x ${written(ours)} root@kvm1`],
    ['by wildcard', `*.lan ${written(ours)}`],
    ['by single wildcard', `kvm?.lan ${written(ours)}`],
    ['hashed', `${hashed('kvm1.lan')} ${written(ours)}`],
    ['with a second key', `kvm1.lan ${written(other)}\nkvm1.lan ${written(ours)}`],
    ['with DOS line ends and tabs', `# x\r\n\r\nkvm1.lan\t${written(ours)}\r\n`]
  ])('knows a host %s', (_, text) => {
    expect(judge(text)).toEqual({ is: 'known' })
  })

  it.each([
    ['that is not in it', `kvm2.lan ${written(ours)}`],
    ['that a negated pattern rules out', `*.lan,!kvm1.lan ${written(ours)}`],
    ['of which another port is known', `[kvm1.lan]:2222 ${written(ours)}`],
    ['that only a certificate authority vouches for', `@cert-authority *.lan ${written(ours)}`],
    ['whose line is cut short', 'kvm1.lan ssh-ed25519'],
    ['whose hash is of an unknown kind', `|2|AAAA|BBBB ${written(ours)}`],
    ['that is commented out', `#kvm1.lan ${written(ours)}`],
    ['of which only a key is known that cannot be negotiated', `kvm1.lan sk-ssh-ed25519@openssh.com AAAA`]
  ])('does not know a host %s', (_, text) => {
    expect(judge(text)).toEqual({ is: 'unknown' })
  })

  it('tells a changed key, with file and line', () => {
    expect(judge(`# comment\n\nkvm1.lan ${written(other)}`)).toEqual({ is: 'changed', knownIn: '/known:3' })
  })

  it('takes a key of another type than the known one for a change, too', () => {
    expect(judge(`kvm1.lan ${written(rsa)}`)).toEqual({ is: 'changed', knownIn: '/known:1' })
  })

  it('names the key of the same type, where there are several', () => {
    expect(judge(`kvm1.lan ${written(rsa)}\nkvm1.lan ${written(other)}`)).toEqual({
      is: 'changed',
      knownIn: '/known:2'
    })
  })

  it('tells a revoked key, wherever else it is known', () => {
    const text = `kvm1.lan ${written(ours)}\n@revoked * ${written(ours)}`
    expect(judge(text)).toEqual({ is: 'revoked', knownIn: '/known:2' })
    expect(judge(text, 'kvm1.lan', 2222)).toEqual({ is: 'revoked', knownIn: '/known:2' })
    expect(judge(`@revoked * ${written(other)}`)).toEqual({ is: 'unknown' })
  })

  it('has hosts on other ports in brackets, also hashed', () => {
    expect(judge(`[kvm1.lan]:2222 ${written(ours)}`, 'kvm1.lan', 2222)).toEqual({ is: 'known' })
    expect(judge(`${hashed('[kvm1.lan]:2222')} ${written(ours)}`, 'kvm1.lan', 2222)).toEqual({ is: 'known' })
    expect(judge(`[::1]:2222 ${written(ours)}`, '::1', 2222)).toEqual({ is: 'known' })
  })

  it('vouches for other ports by the plain name, but does not accuse them', () => {
    expect(judge(`kvm1.lan ${written(ours)}`, 'kvm1.lan', 2222)).toEqual({ is: 'known' })
    expect(judge(`kvm1.lan ${written(other)}`, 'kvm1.lan', 2222)).toEqual({ is: 'unknown' })
  })

  it('says which types to negotiate first', () => {
    const lines = parseKnownHosts(
      '/known',
      `kvm1.lan ${written(rsa)}\n@revoked kvm1.lan ${written(ours)}\n[kvm1.lan]:9 ${written(other)}`
    )
    expect(knownKeyTypes(lines, 'kvm1.lan', 22)).toEqual(['ssh-rsa'])
    expect(knownKeyTypes(lines, 'kvm1.lan', 9)).toEqual(['ssh-ed25519'])
    expect(knownKeyTypes(lines, 'kvm1.lan', 10)).toEqual(['ssh-rsa'])
  })

  it('of somebody who means harm keeps nobody waiting for ever', () => {
    comesToAnEnd(() => judge(`${'*a'.repeat(500)}b ${written(ours)}`, 'a'.repeat(1000)))
  })
})

describe('our own known_hosts file', () => {
  let dir: string
  const text = (): string => readFileSync(ownKnownHosts(dir), 'utf8')
  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), 'stillpoint-known-')), 'settings')
  })
  afterEach(() => rmSync(join(dir, '..'), { recursive: true }))

  it('takes keys, each once, for us alone to read', async () => {
    await Promise.all([
      writeHostKey(dir, 'KVM1.lan', 22, ours),
      writeHostKey(dir, 'kvm2.lan', 2222, rsa),
      writeHostKey(dir, 'kvm1.lan', 22, ours)
    ])
    expect(text()).toBe(`kvm1.lan ${written(ours)}\n[kvm2.lan]:2222 ${written(rsa)}\n`)
    expect(statSync(ownKnownHosts(dir)).mode & 0o777).toBe(0o600)
    expect(judge(text())).toEqual({ is: 'known' })
  })

  it('forgets the key of a line, and none that has come to stand there', async () => {
    await writeHostKey(dir, 'kvm1.lan', 22, ours)
    writeFileSync(ownKnownHosts(dir), `# mine\n\n${text()}\n`)
    await writeHostKey(dir, 'kvm2.lan', 22, other)
    expect(await forgetLine(dir, 3, fingerprintOf(other))).toBe(false)
    expect(await forgetLine(dir, 3, fingerprintOf(ours))).toBe(true)
    expect(text()).toBe(`# mine\n\n\nkvm2.lan ${written(other)}\n`)
  })

  it('that cannot be written is told as that', async () => {
    writeFileSync(dir, 'a file in the place of the folder')
    await expect(writeHostKey(dir, 'kvm1.lan', 22, ours)).rejects.toThrow(/^io: .*could not be written/)
    await expect(forgetHostKeys(dir, 'kvm1.lan', 22)).rejects.toThrow(/^io: .*could not be written/)
  })

  it('forgets a host, and no other', async () => {
    await writeHostKey(dir, 'kvm1.lan', 22, ours)
    await writeHostKey(dir, 'kvm1.lan', 2222, rsa)
    await writeHostKey(dir, 'kvm1.lan', 22, other)
    expect(await forgetHostKeys(dir, 'kvm1.lan', 22)).toBe(2)
    expect(text()).toBe(`[kvm1.lan]:2222 ${written(rsa)}\n`)
    expect(await forgetHostKeys(dir, 'kvm1.lan', 22)).toBe(0)
  })
})

describe('names', () => {
  it('carry the port where it is not 22', () => {
    expect([knownHostName('A.b', 22), knownHostName('a', 1)]).toEqual(['a.b', '[a]:1'])
  })

  it('of key types come from the key itself, whatever it is', () => {
    expect([ours, Buffer.alloc(0), Buffer.from([255, 255, 255, 255, 1])].map(keyTypeOf)).toEqual([
      'ssh-ed25519',
      'unreadable',
      'unreadable'
    ])
  })

  it('fingerprints look as OpenSSH prints them', () => {
    // GitHub's, as published
    const line = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
    expect(fingerprintOf(Buffer.from(line, 'base64'))).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
  })
})
