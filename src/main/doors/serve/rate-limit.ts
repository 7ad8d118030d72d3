/** A person's window asks a few times a second; whatever asks more for long is something else. */
const PER_SECOND = 100
const AT_ONCE = 400

/** A bucket that fills steadily. */
export class RateLimit {
  private tokens = AT_ONCE
  private at = performance.now()

  allows(): boolean {
    const now = performance.now()
    this.tokens = Math.min(AT_ONCE, this.tokens + ((now - this.at) / 1000) * PER_SECOND)
    this.at = now
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }
}
