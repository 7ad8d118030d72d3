import { CopyButton } from './copy-button.tsx'
import { words } from '../words.ts'
import classes from './ui.module.css'

/** A line for the terminal, with its copy button. */
export function CommandLine({ command }: { readonly command: string }) {
  return (
    <div className={classes['command']}>
      <code>{command}</code>
      <CopyButton text={command} label={words.copyCommand} />
    </div>
  )
}
