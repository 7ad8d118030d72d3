import { Fragment } from 'react'
import { safeText } from '../../shared/safe-text.ts'
import { CopyButton } from './copy-button.tsx'
import { words } from '../words.ts'
import classes from './ui.module.css'

/** A line for the terminal, with its copy button. */
export function CommandLine(props: { readonly command: string }) {
  const command = safeText(props.command)
  return (
    <div className={classes['command']}>
      <code>
        <CommandText command={command} />
      </code>
      <CopyButton text={command} label={words.copyCommand} />
    </div>
  )
}

/** So that `--flag` is never torn apart. */
export const CommandText = ({ command }: { readonly command: string }) =>
  command.split(' ').map((word, n) => (
    <Fragment key={n}>
      {n > 0 && ' '}
      <span className={classes['commandWord']}>{word}</span>
    </Fragment>
  ))
