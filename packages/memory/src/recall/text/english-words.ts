/** What the rules of English grammar cannot know. General vocabulary: nothing here is fitted to a data set. */

/** Too common to tell documents apart. Negations stay out of the index too: recall is by subject. */
export const ENGLISH_STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again against all am an and any are as at be because been before being below
  between both but by can cannot could d did do does doing done down during each few for from further
  had has have having he her here hers herself him himself his how i if in into is it its itself just
  let ll m me more most must my myself no nor not now of off on once only or other our ours ourselves
  out over own re s same she should so some such t than that the their theirs them themselves then
  there these they this those through to too under until up ve very was we were what when where which
  while who whom why will with would you your yours yourself yourselves
  dont didnt doesnt isnt wasnt im ive youre thats`.split(/\s+/u),
);

/** The base and the forms of it that no stemmer reaches. */
const FORMS = `
  arise arose arisen|awake awoke awoken|bear bore borne|beat beaten|become became|begin began begun
  |bend bent|bet betted|bind bound|bite bit bitten|bleed bled|blow blew blown|break broke broken
  |breed bred|bring brought|build built|burn burnt|buy bought|catch caught|choose chose chosen
  |choice choices|cling clung|come came|creep crept|deal dealt|die died dying dies|dig dug|draw drew drawn
  |dream dreamt|drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|feed fed
  |feel felt|fight fought|find found|flee fled|fly flew flown|forbid forbade forbidden
  |forget forgot forgotten|forgive forgave forgiven|freeze froze frozen|get got gotten|give gave given
  |go went gone goes|grind ground|grow grew grown|hang hung|hear heard|hide hid hidden|hold held
  |keep kept|kneel knelt|know knew known|lay laid|lead led|leap leapt|learn learnt|leave left
  |lend lent|lie lay lain lying|light lit|lose lost|make made|mean meant|meet met|mistake mistook mistaken
  |pay paid|prove proven|ride rode ridden|ring rang rung|rise rose risen|run ran|say said|see saw seen
  |seek sought|sell sold|send sent|sew sewn|shake shook shaken|shine shone|shoot shot|show shown
  |shrink shrank shrunk|sing sang sung|sink sank sunk|sit sat|sleep slept|slide slid|sow sown
  |speak spoke spoken|spell spelt|spend spent|spin spun|spring sprang sprung|stand stood
  |steal stole stolen|stick stuck|sting stung|strike struck|swear swore sworn|sweep swept
  |swell swollen|swim swam swum|swing swung|take took taken|teach taught|tear tore torn|tell told
  |think thought|throw threw thrown|understand understood|undertake undertook undertaken
  |wake woke woken|wear wore worn|weave wove woven|weep wept|win won|withdraw withdrew withdrawn
  |write wrote written|rewrite rewrote rewritten|overcome overcame|undergo underwent undergone
  |child children kid kids|person people persons|man men|woman women|foot feet|tooth teeth|goose geese|mouse mice
  |wife wives|life lives|knife knives|leaf leaves|shelf shelves|half halves|wolf wolves|loaf loaves
  |thief thieves|calf calves|scarf scarves|hero heroes|potato potatoes|tomato tomatoes|echo echoes
  |analysis analyses|crisis crises|basis bases|thesis theses|hypothesis hypotheses|diagnosis diagnoses
  |criterion criteria|phenomenon phenomena|datum data|medium media|cactus cacti|alumnus alumni
  |good better best|bad worse worst|far further farther furthest
  |mother mom moms mum mums mommy mama mothers|father dad dads daddy papa fathers|grandmother grandma granny grandmothers
  |grandfather grandpa grandfathers|photo photos photograph photographs photography pic pics picture pictures|tv television televisions
  |movie movies film films|bike bikes bicycle bicycles|phone phones telephone telephones|favorite favourite favorites favourites fav fave
  |fridge refrigerator|vacation vacations holiday holidays|doctorate phd|advertisement ad ads advert|exam exams examination
  |color colour colors colours|neighbor neighbour neighbors neighbours|center centre centers centres|theater theatre theaters theatres
  |gray grey|behavior behaviour|flavor flavour flavors flavours|honor honour|humor humour|labor labour|program programme programs programmes
  |jewelry jewellery|traveling travelling|traveled travelled|traveler traveller|canceled cancelled|apologize apologise|organize organise
  |realize realise|recognize recognise|practice practise|license licence|catalog catalogue|dialog dialogue|marry married marriage marries
  |death dead deaths`;

/** Any form to its base; the base itself is not in it. */
export const ENGLISH_BASE_FORMS: ReadonlyMap<string, string> = baseForms(FORMS);

function baseForms(table: string): Map<string, string> {
  const bases = new Map<string, string>();
  for (const line of table.split("|")) {
    const [base, ...forms] = line.trim().split(/\s+/u);
    if (base !== undefined) for (const form of forms) if (form !== base) bases.set(form, base);
  }
  return bases;
}

/** `don't` is `do` and `Anna's` is `Anna`: what is left is a stop word or the noun. */
const CONTRACTION = /(?<=\p{L})(?:n't|'(?:s|re|ve|ll|d|m|t))(?![\p{L}\p{N}])/gu;
/** Those whose rest would be another word, or none. */
const WHOLE_CONTRACTION = /(?<![\p{L}\p{N}])(?:can|won|shan|ain)'t(?![\p{L}\p{N}])/gu;

export function removeContractions(normalised: string): string {
  if (!normalised.includes("'")) return normalised;
  return normalised.replace(WHOLE_CONTRACTION, " ").replace(CONTRACTION, "");
}
