import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { scrub } from '../../src/main/core/diagnostics.ts'

describe('diagnostics', () => {
  it('hold no names, addresses, paths of home, keys or tokens', () => {
    const secret = [
      'host kvm-1.example.net at 10.20.0.11 has VM "shop"',
      `${homedir()}/.ssh/id_ed25519`,
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE\n-----END OPENSSH PRIVATE KEY-----',
      'SHA256:uNiVztksCsDhcc0u9e8BrrJXVWqhQ2XZ3jWc5wZqJ0Y',
      'token 3jwtNwtxCQOV1V9zDN5yfFf7C6zy0CTzBLo__LqjBkg'
    ].join('\n')
    const names = new Map([
      ['kvm-1', 'host-1'],
      ['kvm-1.example.net', 'host-1'],
      ['shop', 'vm-1']
    ])
    const text = scrub(secret, names)
    for (const hidden of ['kvm-1', '10.20', 'shop', homedir(), 'b3Blb', 'uNiV', '3jwt'])
      expect(text).not.toContain(hidden)
    expect(text).toContain('host host-1 at (address) has VM "vm-1"')
  })
})
