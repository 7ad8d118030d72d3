import { lazy, type ComponentType, type LazyExoticComponent } from 'react'

/** A part of the window could not be loaded, most often because a file did not come. */
export class PartMissing extends Error {}

type Load = () => Promise<unknown>

/** Not asked for yet. */
const waiting = new Set<Load>()

/** A heavy part of the window, which comes when it is first shown. It is asked for once, whatever comes of that: only a window opened anew asks again. */
export function lazyPart<Props>(load: () => Promise<ComponentType<Props>>): LazyExoticComponent<ComponentType<Props>> {
  let loading: Promise<ComponentType<Props>> | undefined
  const once = (): Promise<ComponentType<Props>> => (loading ??= load().catch(missing))
  waiting.add(once)
  return lazy(async () => ({ default: await once() }))
}

function missing(cause: unknown): never {
  throw new PartMissing(cause instanceof Error ? cause.message : String(cause), { cause })
}

/**
 * In a browser, before anything is known: whoever has the door's port when Stillpoint has ended would be asked for what is
 * missing, and what it gives would run in a window that shows everything. A part may bring parts of its own.
 */
export async function loadAllParts(): Promise<void> {
  while (waiting.size > 0) {
    const loads = [...waiting]
    waiting.clear()
    await Promise.allSettled(loads.map((load) => load()))
  }
}
