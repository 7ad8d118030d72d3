import { describe, expect, it } from 'vitest'
import { fakeShell } from '../../src/shell/fake.ts'

describe('a fake shell', () => {
  it('answers by whole line, else by program', async () => {
    const shell = fakeShell({ 'virsh list': 'one\n', virsh: { exitCode: 1, stderr: 'error: what?\n' } })
    expect(await shell.run(['virsh', 'list'])).toMatchObject({ exitCode: 0, stdout: 'one\n' })
    expect(await shell.run(['virsh', 'start', 'a b'])).toMatchObject({ exitCode: 1, stderr: 'error: what?\n' })
    expect(shell.lines).toEqual(['virsh list', 'virsh start a b'])
  })

  it('answers call after call from a list, the last one from then on', async () => {
    const shell = fakeShell({ date: ['1', { stdout: '2' }] })
    const answers = [await shell.run(['date']), await shell.run(['date']), await shell.run(['date'])]
    expect(answers.map(({ stdout }) => stdout)).toEqual(['1', '2', '2'])
  })

  it('lets a function see arguments and stdin', async () => {
    const shell = fakeShell(async (call) => `${call.argv.length} ${(await call.stdin()).toString()}`)
    expect((await shell.run(['tee', 'x'], { stdin: 'hello' })).stdout).toBe('2 hello')
  })

  it('has no programs but those of its script', async () => {
    await expect(fakeShell({}).run(['ls'])).rejects.toThrow(/missing-tool/)
    await expect(fakeShell({}).run(['toString'])).rejects.toThrow(/missing-tool/)
  })

  it('fails as the script says', async () => {
    const shell = fakeShell({ ls: { failure: { kind: 'connection-lost', host: 'h', during: 'ls' } } })
    await expect(shell.run(['ls'])).rejects.toThrow(/connection-lost/)
  })

  it('meets deadlines', async () => {
    const shell = fakeShell({ sleep: { delayMs: 60_000 } })
    await expect(shell.run(['sleep'], { timeoutMs: 20 })).rejects.toThrow(/timeout/)
  })
})
