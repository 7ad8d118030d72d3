/** Jobs of one host that are followed at the same time: of ten sessions that sshd allows, most stay for everything else. */
const AT_ONCE = 3
const TURN_MS = 5000

/** For as long as it lasts its job is followed. */
export interface Turn {
  /** Aborted when another job has waited long enough. */
  readonly signal: AbortSignal
  end(): void
}

/** The jobs of one host are followed a few at a time, each in its turn: none of what they say is lost, it is only heard a little later. */
export class FollowTurns {
  private readonly turnMs: number
  private readonly running = new Set<RunningTurn>()
  /** Each is told whether it is its turn: a place that gets free goes from hand to hand. */
  private readonly waiting: ((isTurn: boolean) => void)[] = []
  private free = AT_ONCE

  constructor(turnMs = TURN_MS) {
    this.turnMs = turnMs
  }

  /** Resolves when it is this job's turn; also when nobody wants to follow it any more. */
  async next(signal: AbortSignal | undefined): Promise<Turn> {
    if (this.free > 0) this.free -= 1
    else if (!(await this.wait(signal))) return { signal: AbortSignal.abort(), end: () => undefined }
    const turn = new RunningTurn(this.turnMs, () => this.passOn())
    this.running.add(turn)
    this.passOn()
    return { signal: turn.signal, end: () => this.end(turn) }
  }

  private end(turn: RunningTurn): void {
    turn.stop()
    if (!this.running.delete(turn)) return
    const next = this.waiting.shift()
    if (next === undefined) this.free += 1
    else next(true)
  }

  private async wait(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return false
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const leave = (): void => this.leave(resolve)
    this.waiting.push(resolve)
    signal?.addEventListener('abort', leave)
    this.passOn()
    return promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  private leave(waiter: (isTurn: boolean) => void): void {
    const place = this.waiting.indexOf(waiter)
    if (place === -1) return
    this.waiting.splice(place, 1)
    waiter(false)
  }

  /** Those whose time is over, as many as there are who wait. */
  private passOn(): void {
    const over = [...this.running].filter(({ isOver }) => isOver)
    over.slice(0, this.waiting.length).forEach((turn) => turn.giveUp())
  }
}

class RunningTurn {
  isOver = false
  private readonly control = new AbortController()
  private readonly timer: NodeJS.Timeout

  constructor(turnMs: number, onOver: () => void) {
    this.timer = setTimeout(() => {
      this.isOver = true
      onOver()
    }, turnMs).unref()
  }

  get signal(): AbortSignal {
    return this.control.signal
  }

  giveUp(): void {
    this.control.abort()
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
