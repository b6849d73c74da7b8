"""Countries and territories: ISO 3166-1 alpha-2 code, everyday English name, and a point in the middle of the land.

The point is for a dot on a map, rounded to half a degree where the land is wide: it is the middle of the main part, not
of every island. `XK` is the code that registries use for Kosovo, for which ISO 3166-1 has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Country(NamedTuple):
    """A country; coordinates in degrees, north and east positive."""

    name: str
    latitude: float
    longitude: float


_TABLE = """
AD Andorra 42.5 1.6
AE United Arab Emirates 24 54
AF Afghanistan 34 66
AG Antigua and Barbuda 17.1 -61.8
AI Anguilla 18.2 -63.1
AL Albania 41 20
AM Armenia 40.2 45
AO Angola -12.5 17.5
AQ Antarctica -80 20
AR Argentina -35 -65
AS American Samoa -14.3 -170.7
AT Austria 47.6 14.1
AU Australia -25.5 134.5
AW Aruba 12.5 -70
AX Åland 60.2 20
AZ Azerbaijan 40.3 47.7
BA Bosnia and Herzegovina 44.2 17.8
BB Barbados 13.2 -59.5
BD Bangladesh 24 90
BE Belgium 50.6 4.6
BF Burkina Faso 12.3 -1.7
BG Bulgaria 42.8 25.2
BH Bahrain 26 50.5
BI Burundi -3.4 29.9
BJ Benin 9.6 2.3
BL Saint Barthélemy 17.9 -62.8
BM Bermuda 32.3 -64.8
BN Brunei 4.5 114.7
BO Bolivia -16.7 -64.7
BQ Bonaire, Sint Eustatius and Saba 12.2 -68.3
BR Brazil -10.5 -53
BS Bahamas 24.4 -78
BT Bhutan 27.4 90.4
BV Bouvet Island -54.4 3.4
BW Botswana -22.2 23.8
BY Belarus 53.5 28
BZ Belize 17.2 -88.7
CA Canada 60 -98
CC Cocos Islands -12.2 96.8
CD Congo (Kinshasa) -3 23.5
CF Central African Republic 6.6 20.5
CG Congo (Brazzaville) -0.8 15.2
CH Switzerland 46.8 8.2
CI Côte d'Ivoire 7.6 -5.6
CK Cook Islands -21.2 -159.8
CL Chile -35.5 -71.5
CM Cameroon 5.7 12.7
CN China 36 103.5
CO Colombia 3.9 -73
CR Costa Rica 10 -84.2
CU Cuba 21.6 -79
CV Cabo Verde 15.1 -23.6
CW Curaçao 12.2 -69
CX Christmas Island -10.5 105.7
CY Cyprus 35 33.2
CZ Czechia 49.8 15.4
DE Germany 51.1 10.4
DJ Djibouti 11.7 42.6
DK Denmark 56 9.5
DM Dominica 15.4 -61.4
DO Dominican Republic 18.9 -70.5
DZ Algeria 28 2.6
EC Ecuador -1.4 -78.4
EE Estonia 58.7 25.5
EG Egypt 26.5 30
EH Western Sahara 24.4 -12.9
ER Eritrea 15.4 38.8
ES Spain 40.2 -3.7
ET Ethiopia 8.6 39.6
FI Finland 64.5 26.3
FJ Fiji -17.8 178
FK Falkland Islands -51.7 -59.4
FM Micronesia 6.9 158.2
FO Faroe Islands 62 -6.9
FR France 46.5 2.5
GA Gabon -0.6 11.8
GB United Kingdom 54 -2.5
GD Grenada 12.1 -61.7
GE Georgia 42.2 43.5
GF French Guiana 3.9 -53.2
GG Guernsey 49.5 -2.6
GH Ghana 7.9 -1.2
GI Gibraltar 36.1 -5.3
GL Greenland 74 -41.5
GM Gambia 13.4 -15.4
GN Guinea 10.4 -10.9
GP Guadeloupe 16.2 -61.5
GQ Equatorial Guinea 1.7 10.4
GR Greece 39.2 22.7
GS South Georgia and the South Sandwich Islands -54.4 -36.7
GT Guatemala 15.7 -90.4
GU Guam 13.4 144.8
GW Guinea-Bissau 12 -15
GY Guyana 4.8 -59
HK Hong Kong 22.35 114.15
HM Heard Island and McDonald Islands -53.1 73.5
HN Honduras 14.8 -86.6
HR Croatia 45.2 16
HT Haiti 19 -72.7
HU Hungary 47.2 19.4
ID Indonesia -1 114
IE Ireland 53.2 -8.2
IL Israel 31.4 34.9
IM Isle of Man 54.2 -4.5
IN India 22.9 79.6
IO British Indian Ocean Territory -7.3 72.4
IQ Iraq 33 43.8
IR Iran 32.6 54.3
IS Iceland 65 -18.6
IT Italy 42.8 12.1
JE Jersey 49.2 -2.1
JM Jamaica 18.1 -77.3
JO Jordan 31.2 36.8
JP Japan 36.3 138.2
KE Kenya 0.6 37.8
KG Kyrgyzstan 41.5 74.5
KH Cambodia 12.7 105
KI Kiribati 1.9 -157.4
KM Comoros -11.6 43.35
KN Saint Kitts and Nevis 17.3 -62.7
KP North Korea 40.2 127.2
KR South Korea 36.4 127.8
KW Kuwait 29.3 47.6
KY Cayman Islands 19.3 -81.2
KZ Kazakhstan 48.2 67.3
LA Laos 18.5 103.8
LB Lebanon 33.9 35.9
LC Saint Lucia 13.9 -61
LI Liechtenstein 47.1 9.5
LK Sri Lanka 7.6 80.7
LR Liberia 6.5 -9.3
LS Lesotho -29.6 28.2
LT Lithuania 55.3 23.9
LU Luxembourg 49.8 6.1
LV Latvia 56.9 24.9
LY Libya 27 18
MA Morocco 31.9 -6.3
MC Monaco 43.7 7.4
MD Moldova 47.2 28.5
ME Montenegro 42.8 19.3
MF Saint Martin 18.1 -63.1
MG Madagascar -19.4 46.7
MH Marshall Islands 7.1 171.2
MK North Macedonia 41.6 21.7
ML Mali 17.4 -3.5
MM Myanmar 21.2 96.5
MN Mongolia 46.8 103
MO Macao 22.2 113.55
MP Northern Mariana Islands 15.2 145.7
MQ Martinique 14.7 -61
MR Mauritania 20.3 -10.3
MS Montserrat 16.7 -62.2
MT Malta 35.9 14.4
MU Mauritius -20.3 57.6
MV Maldives 4.2 73.5
MW Malawi -13.2 34.3
MX Mexico 24 -102.5
MY Malaysia 3.9 102.3
MZ Mozambique -17.3 35.5
NA Namibia -22.1 17.2
NC New Caledonia -21.3 165.6
NE Niger 17.4 9.4
NF Norfolk Island -29 168
NG Nigeria 9.6 8.1
NI Nicaragua 12.8 -85
NL Netherlands 52.2 5.6
NO Norway 61.5 9
NP Nepal 28.2 83.9
NR Nauru -0.5 166.9
NU Niue -19.1 -169.9
NZ New Zealand -41.8 171.5
OM Oman 20.6 56.1
PA Panama 8.5 -80.1
PE Peru -9.2 -74.4
PF French Polynesia -17.7 -149.4
PG Papua New Guinea -6.5 145.2
PH Philippines 15.5 121
PK Pakistan 29.9 69.3
PL Poland 52.1 19.4
PM Saint Pierre and Miquelon 46.9 -56.3
PN Pitcairn -24.4 -128.3
PR Puerto Rico 18.2 -66.5
PS Palestine 31.9 35.2
PT Portugal 39.6 -8.5
PW Palau 7.5 134.6
PY Paraguay -23.2 -58.4
QA Qatar 25.3 51.2
RE Réunion -21.1 55.5
RO Romania 45.9 25
RS Serbia 44.2 20.8
RU Russia 61.5 96
RW Rwanda -2 29.9
SA Saudi Arabia 24.1 44.5
SB Solomon Islands -9.6 160.2
SC Seychelles -4.7 55.5
SD Sudan 16 30
SE Sweden 62.8 16.7
SG Singapore 1.35 103.8
SH Saint Helena, Ascension and Tristan da Cunha -15.95 -5.7
SI Slovenia 46.1 14.8
SJ Svalbard and Jan Mayen 78.8 18
SK Slovakia 48.7 19.5
SL Sierra Leone 8.6 -11.8
SM San Marino 43.9 12.5
SN Senegal 14.4 -14.5
SO Somalia 4.8 45.7
SR Suriname 4.1 -55.9
SS South Sudan 7.3 30.3
ST São Tomé and Príncipe 0.4 6.7
SV El Salvador 13.7 -88.9
SX Sint Maarten 18.04 -63.06
SY Syria 35 38.5
SZ Eswatini -26.6 31.5
TC Turks and Caicos Islands 21.8 -71.8
TD Chad 15.3 18.6
TF French Southern Territories -49.3 69.5
TG Togo 8.5 1
TH Thailand 15.1 101
TJ Tajikistan 38.5 71
TK Tokelau -9.2 -171.8
TL Timor-Leste -8.8 125.9
TM Turkmenistan 39.1 59.4
TN Tunisia 34.1 9.6
TO Tonga -21.2 -175.2
TR Türkiye 39.1 35.2
TT Trinidad and Tobago 10.4 -61.3
TV Tuvalu -8.5 179.2
TW Taiwan 23.8 121
TZ Tanzania -6.3 34.8
UA Ukraine 49 31.4
UG Uganda 1.3 32.4
UM United States Minor Outlying Islands 19.3 166.6
US United States 39.5 -98.5
UY Uruguay -32.8 -56
UZ Uzbekistan 41.8 63.1
VA Vatican City 41.9 12.45
VC Saint Vincent and the Grenadines 13.2 -61.2
VE Venezuela 7.1 -66.2
VG British Virgin Islands 18.45 -64.6
VI United States Virgin Islands 17.9 -64.8
VN Vietnam 16 107.8
VU Vanuatu -16.2 167.7
WF Wallis and Futuna -13.3 -176.2
WS Samoa -13.7 -172.2
XK Kosovo 42.6 20.9
YE Yemen 15.9 47.6
YT Mayotte -12.8 45.1
ZA South Africa -29 25
ZM Zambia -13.5 27.8
ZW Zimbabwe -19 29.9
"""


def _read(table: str) -> dict[str, Country]:
    countries = {}
    for line in table.strip().splitlines():
        code, rest = line.split(" ", 1)
        name, latitude, longitude = rest.rsplit(" ", 2)
        countries[code] = Country(name, float(latitude), float(longitude))
    return countries


COUNTRIES: Mapping[str, Country] = _read(_TABLE)
