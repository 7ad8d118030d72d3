import { describe, expect, it } from 'vitest'
import { failureOf, type Failure } from '../../../src/shared/failure.ts'
import { describeFailure } from '../../../src/shared/failure-words.ts'
import { isCode } from '../../../src/store/file-io.ts'
import { samples } from './failure-samples.ts'

describe('the words for a failure', () => {
  it.each(Object.values(samples))('say what happened and why: $kind', (failure) => {
    const { title, explanation } = describeFailure(failure)
    expect(title).not.toBe('')
    expect(explanation).not.toBe('')
    expect(`${title}${explanation}`).not.toMatch(/undefined|\[object|NaN/)
    expect(title).not.toContain('\n')
  })

  it('name the way out as a command that can be pasted', () => {
    expect(describeFailure(samples['host-key-changed']).nextStep).toContain('stillpoint host forget-key alpha')
    expect(describeFailure(samples['no-root']).nextStep).toContain('admin ALL=(ALL) NOPASSWD: ALL')
    expect(describeFailure(samples['host-key-unknown']).nextStep).toContain('--host-key SHA256:abc')
    expect(describeFailure(samples.preflight).nextStep).toBe('ip link add br0 type bridge')
  })

  it('never show the stack of a bug', () => {
    expect(JSON.stringify(describeFailure(samples.bug))).not.toContain('secret.ts')
  })

  it('exist for a kind that only a newer engine knows', () => {
    const newer = { kind: 'moon-phase' } as unknown as Failure
    expect(describeFailure(newer).explanation).toContain('moon-phase')
  })
})

describe('the way out of a changed host key', () => {
  const changed = (address: string, knownIn: string) =>
    describeFailure({
      kind: 'host-key-changed',
      host: 'alpha',
      address,
      keyType: 'ed25519',
      fingerprint: 'SHA256:x',
      knownIn
    }).nextStep

  it('is ours for a key that we wrote down', () => {
    expect(changed('192.0.2.1:22', '/home/me/.config/stillpoint/known_hosts:3')).toContain(
      'stillpoint host forget-key alpha'
    )
  })

  it.each([
    ['192.0.2.1:22', "ssh-keygen -R '192.0.2.1'"],
    ['192.0.2.1:2222', "ssh-keygen -R '[192.0.2.1]:2222'"],
    ['[2001:db8::1]:2222', "ssh-keygen -R '[2001:db8::1]:2222'"]
  ])("is OpenSSH's for a key of its own, at %s", (address, command) => {
    expect(changed(address, '/home/me/.ssh/known_hosts:7')).toContain(command)
  })
})

describe('errors of Linux that Node has no names for', () => {
  it.each([
    [-37, 'ENOLCK'],
    [-74, 'EBADMSG'],
    [-116, 'ESTALE'],
    [-117, 'EUCLEAN'],
    [-122, 'EDQUOT']
  ])('%d is told as %s, and is no mistake of the program', (errno, code) => {
    const error = Object.assign(new Error('read'), { errno, code: `Unknown system error ${errno}` })
    expect(failureOf(error)).toEqual({ kind: 'io', path: '', code, detail: 'read' })
    expect(isCode(error, code)).toBe(true)
  })
})
