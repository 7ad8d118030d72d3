import type { WebSocket } from 'ws'
import { AskFrame, type CoreFrame } from '../../../shared/frames.ts'
import type { Answerer } from '../answer.ts'
import type { Pushes, Told } from '../pushes.ts'
import { RateLimit } from './rate-limit.ts'

/** More than this waiting to be sent: the window is behind, and hears only the newest when it has caught up. */
const BEHIND_BYTES = 1 << 20
const CATCH_UP_MS = 50
/** A window that does not even echo for so long is gone, with its computer asleep or its network cut. */
const ECHO_MS = 60_000
/** Close codes of RFC 6455. */
const POLICY = 1008
const BAD_DATA = 1007

/** One window: answers what it asks, and tells it everything as it is and as it changes. */
export function talkTo(socket: WebSocket, answer: Answerer, pushes: Pushes): void {
  const limit = new RateLimit()
  const late = new Set<string>()
  const send = (frame: CoreFrame): void => socket.send(JSON.stringify(frame))
  const tell = (channel: string): void => {
    const latest = pushes.latest(channel)
    if (latest !== undefined) socket.send(frameOf(channel, latest), { binary: false })
  }
  const stop = pushes.listen((channel) => (socket.bufferedAmount > BEHIND_BYTES ? late.add(channel) : tell(channel)))
  const catchUp = setInterval(() => {
    if (late.size === 0 || socket.bufferedAmount > BEHIND_BYTES) return
    const channels = [...late]
    late.clear()
    channels.forEach(tell)
  }, CATCH_UP_MS)
  socket.on('message', (data, isBinary) => {
    if (isBinary || !limit.allows()) {
      socket.close(POLICY)
      return
    }
    const frame = AskFrame.safeParse(parse((data as Buffer).toString('utf8')))
    if (!frame.success) {
      socket.close(BAD_DATA)
      return
    }
    const { id, channel, question } = frame.data
    answer(channel, question.map(orUndefined))
      .then((reply) => send({ id, reply }))
      .catch(() => socket.terminate()) // an answer that JSON cannot carry
  })
  const stopEchoes = askForEchoes(socket)
  socket.on('close', () => {
    stop()
    stopEchoes()
    clearInterval(catchUp)
  })
  pushes.channels().forEach(tell)
}

const frames = new WeakMap<Told, Buffer>()

/** Made once for all windows: of many points it is long. */
function frameOf(push: string, told: Told): Buffer {
  const made = frames.get(told)
  if (made !== undefined) return made
  const value = told.json === undefined ? '' : `,"value":${told.json}`
  const frame = Buffer.from(`{"push":${JSON.stringify(push)}${value}}`)
  frames.set(told, frame)
  return frame
}

/** Ends a window that is only half there: browsers echo by themselves, whatever their pages do. */
function askForEchoes(socket: WebSocket): () => void {
  let hasEchoed = true
  socket.on('pong', () => (hasEchoed = true))
  const asking = setInterval(() => {
    if (!hasEchoed) socket.terminate()
    hasEchoed = false
    socket.ping()
  }, ECHO_MS)
  return () => clearInterval(asking)
}

/** JSON has no undefined. */
const orUndefined = (value: unknown): unknown => (value === null ? undefined : value)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
