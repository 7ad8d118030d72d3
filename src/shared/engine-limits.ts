import * as z from 'zod'
import { shorten } from './safe-text.ts'

/**
 * What is taken of what an engine says, at most. Each is several times what the largest real host has, so that nobody
 * meets one of them but whoever has a host that is broken, or broken into. What is longer is cut, since the rest of it is
 * as good as before; a list that is longer than its kind can be (`MOST_ANSWERED`) is refused as a whole, in words.
 */
export const ENGINE_LIMITS = {
  /** Characters of a word that names something: a phase, a step, a kind. */
  word: 300,
  /** Of a path or the name of a VM. libvirt takes names of 255 bytes, Linux paths of 4,096. */
  name: 4096,
  /** Of a sentence or some lines of a program: a warning, a reason. */
  text: 8000,
  /** Warnings, phases or pauses of one job: a VM has at most 256 disks, each of which may have a word to say. */
  ofJob: 500,
  /** VMs of one run, and points that it has pruned. A large host has some hundred VMs. */
  ofRun: 10_000,
  /** Schedules of a host: what each promises for each VM is reckoned here. A large host has some ten. */
  policies: 100,
  /** Of a host, as its policies name them: all of them are asked for their points, and what each has is held and kept. */
  stores: 20,
  /** Messages that wait on it, files of it that cannot be understood. */
  ofHost: 2000,
  /** Things that a check, a repair or a removal has to say. */
  findings: 5000,
  /** Files of a point, and what is known of each: a manifest has at most 1,024. */
  filesOfPoint: 2000,
  /** Directories in a store that look like points and are none. */
  brokenPoints: 2000
} as const

/** Of the answers that are lists. */
export const MOST_ANSWERED = {
  /** A host keeps 1,000 jobs and 1,000 runs. */
  reports: 5000,
  /** In the stores of a host: 100 VMs with a hundred points each, five times over. */
  points: 50_000
} as const

/**
 * Bytes of one answer, which comes in lines. Lists of points, jobs and runs are long; three texts of a point (`read-small`) are
 * 1.5 MiB, escaped at most 9; everything else is small. Of a journal, of which a hundred may be followed for hours: the end.
 */
export const LONGEST_ANSWER_BYTES = { lists: 64 << 20, others: 16 << 20, followed: 1 << 20 } as const

/**
 * Of one line, of an answer or an event. Entries of a journal have hardly a hundred KiB; of an answer no more than
 * `PORTION_CHARACTERS` go into one, each of which may need six bytes.
 */
export const LONGEST_LINE_BYTES = 1 << 20
export const PORTION_CHARACTERS = 64 << 10

/**
 * Characters of what an entry of a journal has in the engine's own terms, which is only shown here: the plan of a VM with hundreds
 * of disks has some 300 KiB.
 */
export const LONGEST_STEP_DATA = 512 << 10

/** Entries of a journal that are shown as a job's log, and characters of them: a job of hours has a few hundred. */
export const LONGEST_LOG = { entries: 5000, characters: 8 << 20 } as const

const cutAt = (length: number): z.ZodString => z.string().overwrite((text) => shorten(text, length))

export const EngineWord = cutAt(ENGINE_LIMITS.word)
export const EngineName = cutAt(ENGINE_LIMITS.name)
export const EngineText = cutAt(ENGINE_LIMITS.text)

/** At which length a list or record is cut, for whoever takes it in portions. */
export const cutLengths = z.registry<{ readonly most: number }>()

/** Only the first of them, where there are more: the rest is not even looked at. */
export const firstOf = <T extends z.ZodType>(each: T, most: number): z.ZodPreprocess<z.ZodArray<T>> =>
  z
    .preprocess((all) => (Array.isArray(all) && all.length > most ? all.slice(0, most) : all), z.array(each))
    .register(cutLengths, { most })

/** Only the first of them, where there are more. */
export const firstByName = <K extends z.ZodString, T extends z.ZodType>(
  name: K,
  each: T,
  most: number
): z.ZodRecord<K, T> =>
  z
    .record(name, each)
    .overwrite((all) => {
      const entries = Object.entries(all)
      return (entries.length > most ? Object.fromEntries(entries.slice(0, most)) : all) as typeof all
    })
    .register(cutLengths, { most })
