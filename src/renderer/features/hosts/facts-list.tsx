import { Fragment } from 'react'
import classes from './hosts.module.css'

/** Labels and values, one below the other. */
export function FactsList({ facts }: { readonly facts: readonly (readonly [label: string, value: string])[] }) {
  return (
    <dl className={classes['facts']}>
      {facts.map(([label, value]) => (
        <Fragment key={label}>
          <dt>{label}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}
