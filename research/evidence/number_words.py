"""The words that numbers and dates are written with, in the languages that are known here."""

_MONTHS = """
January February March April May June July August September October November December
Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
Jan Feb Mar Apr May Jun Jul Aug Sept Okt Nov Dez
Januar Februar März April Mai Juni Juli August September Oktober November Dezember
Jänner Feber März April Mai Juni Juli August September Oktober November Dezember
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
"""
MONTHS = {name: month for line in _MONTHS.split("\n") for month, name in enumerate(line.split(), 1)}
_SCALES = {
    "hundred hundert": 100,
    "thousand thousands tausend tsd mille mil mila тыс тысяч ألف آلاف हज़ार k": 10**3,
    "lakh lakhs लाख": 10**5,
    "million millions millionen mio mn millones millón milioni milione milhões milhão млн миллион миллионов"
    " مليون ملايين m": 10**6,
    "crore crores करोड़": 10**7,
    "billion billions bn milliarde milliarden mrd milliard milliards miliardi bilhões млрд миллиард"
    " миллиардов مليار b": 10**9,
    "trillion trillions tn billionen billones трлн": 10**12,
}
SCALES = {name: scale for names, scale in _SCALES.items() for name in names.split()}
SCALE_LETTERS = {"k", "m", "b"}
"""Scales that stand right behind a number, in either case; a small m may be metres."""
_WORDS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn"
    " sechzehn siebzehn achtzehn neunzehn",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
}
WORDS = {word: number for words in _WORDS.values() for number, word in enumerate(words.split())}
TENS = {word: number * 10 for words in _TENS.values() for number, word in enumerate(words.split(), 2)}
WORDS |= TENS
WORDS |= {
    f"{'ein' if unit == 'eins' else unit}und{tens}": WORDS[unit] + TENS[tens]
    for tens in _TENS["de"].split()
    for unit in _WORDS["de"].split()[1:10]
}
_OTHERS = """
deux trois quatre cinq six sept huit neuf dix onze douze
dos tres cuatro cinco seis siete ocho nueve diez once doce
due tre quattro cinque sei sette otto nove dieci undici dodici
dois três quatro cinco seis sete oito nove dez onze doze
twee drie vier vijf zes zeven acht negen tien elf twaalf
"""
OTHER_WORDS = {
    word: number for line in _OTHERS.split("\n") for number, word in enumerate(line.split(), 2)
} | {"duas": 2}
"""Number words that a passage may have and that are not looked for, because of some, such as German "sei",
nobody can tell whether they are numbers."""
MAX_SPELLED = 12
"""Larger numbers are written in digits."""
ENGLISH_TENS, ENGLISH_UNITS = _TENS["en"].split(), _WORDS["en"].split()[1:10]
CJK_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
CJK_SCALES = {
    "十": 10,
    "百": 100,
    "千": 10**3,
    "万": 10**4,
    "萬": 10**4,
    "亿": 10**8,
    "億": 10**8,
    "兆": 10**12,
}
CJK = "".join([*CJK_DIGITS, *CJK_SCALES])
# Behind a single Chinese number word they show that it is one: 三年 but not 三角.
MEASURES = "年月日个個种種次人倍米天名位家项件岁歳歲座艘台辆只届周"
FRACTIONS = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
