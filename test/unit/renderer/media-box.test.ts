import { Children, isValidElement, type ChangeEvent, type ReactElement, type ReactNode } from 'react'
import { describe, expect, it } from 'vitest'
import { backupQuestion, firstDraft, type BackupDraft } from '../../../src/renderer/features/backup/backup-draft.ts'
import { MoreChoices } from '../../../src/renderer/features/backup/more-choices.tsx'
import { words } from '../../../src/renderer/features/backup/words.ts'
import { HowSection } from '../../../src/renderer/features/schedules/how-section.tsx'
import { draftOf, firstForm, type PolicyForm } from '../../../src/renderer/features/schedules/policy-form.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'

interface BoxProps {
  readonly label?: string
  readonly checked?: boolean
  readonly onChange?: (event: ChangeEvent<HTMLInputElement>) => void
  readonly children?: ReactNode
}

/** The box of that form, wherever in it. */
function boxIn(form: ReactNode): BoxProps {
  const all = (node: ReactNode): BoxProps[] =>
    Children.toArray(node).flatMap((child) =>
      isValidElement(child)
        ? [(child as ReactElement<BoxProps>).props, ...all((child as ReactElement<BoxProps>).props.children)]
        : []
    )
  return all(form).find(({ label }) => label === words.media) ?? expect.fail('there is no box for media')
}

const check = (box: BoxProps, checked: boolean): void =>
  box.onChange?.({ currentTarget: { checked } } as ChangeEvent<HTMLInputElement>)

describe('the box for what lies in drives', () => {
  it('of a backup is empty at first, and asks for media once it is checked', () => {
    let draft: BackupDraft = firstDraft(undefined)
    const onEdit = (change: Partial<BackupDraft>): void => void (draft = { ...draft, ...change })
    const box = (): BoxProps => boxIn(MoreChoices({ draft, vm: undefined, onEdit }))
    const asked = (): boolean | undefined => backupQuestion('alpha', 'web1', draft).media
    expect([box().checked, asked()]).toEqual([false, undefined])
    check(box(), true)
    expect([box().checked, asked()]).toEqual([true, true])
    check(box(), false)
    expect([box().checked, asked()]).toEqual([false, undefined])
  })

  it('of a schedule is empty at first, and is in the schedule once it is checked', () => {
    let form: PolicyForm = firstForm('alpha', DEFAULT_CHOICES)
    const onEdit = (change: Partial<PolicyForm>): void => void (form = { ...form, ...change })
    const box = (): BoxProps => boxIn(HowSection({ form, problems: {}, onEdit }))
    const asked = (): boolean | undefined => draftOf(form, undefined).media
    expect([box().checked, asked()]).toEqual([false, undefined])
    check(box(), true)
    expect([box().checked, asked()]).toEqual([true, true])
    check(box(), false)
    expect([box().checked, asked()]).toEqual([false, undefined])
  })
})
