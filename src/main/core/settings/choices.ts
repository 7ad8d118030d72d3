import { Choices, DEFAULT_CHOICES, withChange, type ChoicesChange } from '../../../shared/views/settings-view.ts'
import type { SettingsFile } from './settings-file.ts'
import type { Settings } from './settings-schema.ts'

/** What the operator chose. A choice that cannot be understood counts as not made, and hides no other. */
export const readChoices = (settings: SettingsFile): Choices => choicesIn(settings.read())

function choicesIn({ choices: kept = {} }: Settings): Choices {
  return Object.entries(kept).reduce<Choices>((choices, [name, value]) => {
    const tried = Choices.safeParse({ ...choices, [name]: value })
    return tried.success ? tried.data : choices
  }, DEFAULT_CHOICES)
}

/**
 * What another Stillpoint has chosen meanwhile stays, and what a newer one knows.
 * @throws `io` if the settings cannot be written: they are then as before.
 */
export function changeChoices(settings: SettingsFile, change: ChoicesChange): Choices {
  let choices = DEFAULT_CHOICES
  settings.update((before) => {
    choices = withChange(choicesIn(before), change)
    return { ...before, choices: { ...choices, ...notUnderstoodIn(before, change) } }
  })
  return choices
}

/** Of a newer Stillpoint, or by hand: it stays until the same is chosen here. */
const notUnderstoodIn = ({ choices = {} }: Settings, change: ChoicesChange): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(choices).filter(
      ([name, value]) =>
        !Object.hasOwn(Choices.shape, name) ||
        (!Object.hasOwn(change, name) && !Choices.safeParse({ ...DEFAULT_CHOICES, [name]: value }).success)
    )
  )
