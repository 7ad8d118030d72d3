import * as z from 'zod'
import { readSmallFile, replaceFile } from '../core/settings/small-file.ts'
import { WindowPlace } from './display-setup.ts'

/** A dock here, a projector there: more set-ups than this are not met again. */
const MOST_SETUPS = 20
const LARGEST_BYTES = 1 << 20

const WindowFile = z.object({ places: z.array(z.object({ setup: z.string().max(2000), place: WindowPlace })).max(100) })

/** Where the window was, by set-up of screens. Newest first; a file that cannot be read or understood counts as none. */
export class WindowPlaces {
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  get(setup: string): WindowPlace | undefined {
    return this.read().find((entry) => entry.setup === setup)?.place
  }

  /** Not worth a word where it cannot be written: the window then opens in the middle. */
  set(setup: string, place: WindowPlace): void {
    const others = this.read().filter((entry) => entry.setup !== setup)
    const places = [{ setup, place }, ...others].slice(0, MOST_SETUPS)
    try {
      replaceFile(this.path, `${JSON.stringify({ places })}\n`)
    } catch {
      return
    }
  }

  private read(): z.infer<typeof WindowFile>['places'] {
    try {
      return WindowFile.parse(JSON.parse(readSmallFile(this.path, LARGEST_BYTES) ?? '{}')).places
    } catch {
      return []
    }
  }
}
