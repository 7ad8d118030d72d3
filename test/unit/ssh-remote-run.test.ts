import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { startRemote, type RemoteSeat } from '../../src/main/core/ssh/remote-run.ts'

/** A host whose login ends before it has begun: the channel, its end and its close are in one packet. */
function hastySeat(exitCode: number): RemoteSeat {
  const exec = (_line: string, opened: (error: undefined, channel: unknown) => void): void => {
    const channel = Object.assign(new PassThrough(), { stderr: new PassThrough(), close: () => undefined })
    opened(undefined, channel)
    channel.emit('exit', exitCode)
    channel.stderr.end()
    channel.end()
  }
  const route = { client: { exec }, user: 'root', isClosed: () => false } as unknown as RemoteSeat['route']
  return { host: 'alpha', route, through: 'login', endSession: () => Promise.resolve(true) }
}

describe('a program whose end comes with its beginning', () => {
  it('has ended with that code, and the connection is not taken for lost', async () => {
    const failure = { kind: 'login-shell', host: 'alpha', reason: expect.stringContaining('exit code 127') as string }
    await expect(startRemote(hastySeat(127), ['true'], {}).done).rejects.toMatchObject({ failure })
  })
})
