import { dayInterval, monthInterval, yearInterval, type Interval } from "./interval.ts";

/** A date as people name it: any part may be missing, never all. */
export interface NamedDate {
  readonly year?: number;
  /** 0 to 11; of a season its first month. */
  readonly month?: number;
  readonly day?: number;
  /** 1, or 3 for a season. */
  readonly months: number;
}

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];
const SHORT = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
/** Northern half of the earth; winter begins in December of the year it is named by. */
const SEASONS = new Map([
  ["spring", 2],
  ["summer", 5],
  ["autumn", 8],
  ["fall", 8],
  ["winter", 11],
]);

const MONTH = `(${MONTHS.join("|")}|${SHORT.join("|")}|sept)\\.?`;
const YEAR = "((?:19|20)\\d\\d)";
const DAY = "(\\d{1,2})(?:st|nd|rd|th)?";
/** May and march are words too: a month alone counts only behind one of these. */
const LEAD = "(?:in|of|during|for|since|by|until|till|before|after|last|this|next|early|mid|late)";

/** Most texts name no date: seven patterns less to try. */
const MAY_NAME_DATE = new RegExp(`\\d|${SHORT.join("|")}`, "u");

interface Form {
  readonly pattern: RegExp;
  readonly read: (groups: readonly (string | undefined)[]) => NamedDate | undefined;
}

const FORMS: readonly Form[] = [
  form(`${YEAR}-(\\d\\d)-(\\d\\d)`, ([year, month, day]) => {
    return date(number(year), number(month) - 1, number(day));
  }),
  form(`${DAY}(?: of)? ${MONTH}(?:,? ${YEAR})?`, ([day, month, year]) => {
    return date(optional(year), monthOf(month), number(day));
  }),
  form(`${MONTH} ${DAY}(?!\\d)(?:,? ${YEAR})?`, ([month, day, year]) => {
    return date(optional(year), monthOf(month), number(day));
  }),
  form(`${MONTH},?(?: of)? ${YEAR}`, ([month, year]) => date(number(year), monthOf(month))),
  form(`${LEAD}[ -](?:the )?(?:month of )?${MONTH}`, ([month]) => date(undefined, monthOf(month))),
  form(`(spring|summer|autumn|fall|winter)(?: of)? ${YEAR}`, ([season, year]) => {
    const month = SEASONS.get(season ?? "");
    return month === undefined ? undefined : { year: number(year), month, months: 3 };
  }),
  form(YEAR, ([year]) => ({ year: number(year), months: 1 })),
];

/** Dates named in a normalised text, the most exact reading of each place only. */
export function namedDates(text: string): NamedDate[] {
  if (!MAY_NAME_DATE.test(text)) return [];
  const found: NamedDate[] = [];
  let rest = text;
  for (const { pattern, read } of FORMS)
    rest = rest.replace(pattern, (whole: string, ...groups: readonly unknown[]) => {
      const named = read(groups.map((group) => (typeof group === "string" ? group : undefined)));
      if (named === undefined) return whole;
      found.push(named);
      return " ";
    });
  return found;
}

/** The days meant; a date without a year is that of the year given. */
export function intervalIn(named: NamedDate, yearElse: number): Interval {
  const year = named.year ?? yearElse;
  if (named.month === undefined) return yearInterval(year);
  if (named.day !== undefined) return dayInterval(Date.UTC(year, named.month, named.day));
  const { fromMs } = monthInterval(year, named.month);
  return { fromMs, toMs: monthInterval(year, named.month + named.months - 1).toMs };
}

/** The days meant by who said it at a time: without a year the nearest. */
export function intervalNear(named: NamedDate, atMs: number): Interval {
  const year = new Date(atMs).getUTCFullYear();
  const near = [year, year - 1, year + 1].map((each) => intervalIn(named, each));
  const distance = ({ fromMs }: Interval): number => Math.abs(fromMs - atMs);
  return near.reduce((best, each) => (distance(each) < distance(best) ? each : best));
}

function form(source: string, read: Form["read"]): Form {
  return { pattern: new RegExp(`(?<![\\p{L}\\p{N}])${source}(?![\\p{L}\\p{N}])`, "gu"), read };
}

function date(year: number | undefined, month: number, day?: number): NamedDate | undefined {
  if (month < 0 || month > 11 || (day !== undefined && (day < 1 || day > 31))) return undefined;
  return {
    months: 1,
    month,
    ...(year === undefined ? {} : { year }),
    ...(day === undefined ? {} : { day }),
  };
}

function number(digits: string | undefined): number {
  return Number(digits);
}

function optional(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

function monthOf(name: string | undefined): number {
  return SHORT.indexOf((name ?? "").slice(0, 3));
}
