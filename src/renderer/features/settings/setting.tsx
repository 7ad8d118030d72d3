import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { SaveFailure, SaveNote } from './save-note.tsx'
import classes from './settings.module.css'

interface SettingProps {
  /** Whose saving is told beside it. */
  readonly choice: keyof Choices
  readonly label: string
  readonly text: string
  /** Of the field in `children`. */
  readonly id: string
  readonly children: ReactNode
}

/** One choice: what it is about on the left, its field on the right, and below how the last change went. */
export function Setting({ choice, label, text, id, children }: SettingProps) {
  const save = useWindow((state) => state.saves[choice])
  return (
    <div className={classes['setting']}>
      <div className={classes['about']}>
        <div className={classes['label']}>
          <label htmlFor={id} id={`${id}-label`}>
            {label}
          </label>
          <SaveNote save={save} />
        </div>
        {text !== '' && (
          <Text component="div" size="sm" c="dimmed" id={`${id}-text`}>
            {text}
          </Text>
        )}
      </div>
      <div className={classes['field']}>{children}</div>
      <SaveFailure save={save} />
    </div>
  )
}
