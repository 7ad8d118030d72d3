import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { PATIENCE_MS } from '../patience.ts'

/** How a client takes its leave once it has said what it wanted. */
export const ENDINGS = ['listens to the end', 'closes', 'resets', 'closes its half'] as const
export type Ending = (typeof ENDINGS)[number]

/** A bare connection to loopback. Whatever becomes of it is no error. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
  return socket
}

/** What came until the other side hung up. @throws if it never does */
export async function heardUntilClosed(socket: Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  const closed = new Promise<void>((resolve) => {
    socket.once('end', resolve).once('close', resolve)
    if (socket.closed || socket.readableEnded) resolve()
  })
  const stop = new AbortController()
  const never = sleep(PATIENCE_MS, 'never', { signal: stop.signal }).catch(() => 'stopped')
  const came = await Promise.race([closed, never])
  stop.abort()
  socket.destroy()
  if (came === 'never') throw new Error(`still open: ${heard.slice(0, 200)}`)
  return heard
}

/** Says it and leaves. The answer where somebody stays to hear it. */
export async function say(port: number, what: string | Buffer, ending: Ending): Promise<string | undefined> {
  const socket = await dial(port)
  const written = new Promise((resolve) => socket.write(what, resolve))
  if (ending === 'listens to the end') return heardUntilClosed(socket)
  await written
  if (ending === 'closes its half') {
    socket.end()
    return heardUntilClosed(socket)
  }
  if (ending === 'closes') socket.destroy()
  else socket.resetAndDestroy()
  return undefined
}

/** A request as its lines. */
export const requestOf = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`
