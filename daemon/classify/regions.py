"""Where the regions of cloud providers are: provider and region -> country and the city that the provider names.

Rule 1: a region is where its provider says that it is; the coordinates are the city's, since no provider publishes where
        its halls stand. Where a provider names only a state or a country, the city is the one known for its halls.
Rule 2: names are those of the providers' own address lists (Azure's differ from its documentation: `germanywc`), and
        those that stand in their host names.
Rule 3: where a provider tells the country and nobody the city, the table has the country's code in place of the city.
Rule 4: what is not a place (`GLOBAL`) is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from daemon.classify.countries import COUNTRIES


class Region(NamedTuple):
    """Where a region is; coordinates in degrees, north and east positive."""

    country: str  # ISO 3166-1 alpha-2
    city: str | None  # None: not known, and the coordinates are the middle of the country
    latitude: float
    longitude: float


_CITIES = """
AE Abu Dhabi 24.47 54.37
AE Dubai 25.2 55.27
AT Vienna 48.21 16.37
AU Canberra -35.28 149.13
AU Melbourne -37.81 144.96
AU Sydney -33.87 151.21
BE Brussels 50.85 4.35
BE Saint-Ghislain 50.45 3.82
BH Manama 26.23 50.59
BR Campinas -22.91 -47.06
BR Fortaleza -3.73 -38.52
BR Rio de Janeiro -22.91 -43.17
BR São Paulo -23.55 -46.63
CA Calgary 51.05 -114.07
CA Montreal 45.5 -73.57
CA Quebec 46.81 -71.21
CA Toronto 43.65 -79.38
CH Geneva 46.2 6.14
CH Zurich 47.37 8.54
CL Santiago -33.45 -70.67
CL Valparaíso -33.05 -71.61
CN Beijing 39.9 116.41
CN Chengdu 30.57 104.07
CN Guangzhou 23.13 113.26
CN Hangzhou 30.27 120.15
CN Heyuan 23.74 114.7
CN Hohhot 40.84 111.75
CN Nanjing 32.06 118.8
CN Qingdao 36.07 120.38
CN Shanghai 31.23 121.47
CN Shenzhen 22.54 114.06
CN Ulanqab 41.03 113.13
CN Zhangjiakou 40.77 114.89
CN Zhongwei 37.5 105.19
CO Bogotá 4.71 -74.07
DE Berlin 52.52 13.4
DE Brandenburg 52.41 12.55
DE Falkenstein 50.48 12.37
DE Frankfurt 50.11 8.68
DE Nuremberg 49.45 11.08
DK Copenhagen 55.68 12.57
ES Madrid 40.42 -3.7
ES Zaragoza 41.65 -0.88
FI Hamina 60.57 27.2
FI Helsinki 60.17 24.94
FR Marseille 43.3 5.37
FR Paris 48.86 2.35
GB Cardiff 51.48 -3.18
GB London 51.51 -0.13
HK Hong Kong 22.32 114.17
ID Batam 1.08 104.03
ID Jakarta -6.21 106.85
IE Dublin 53.35 -6.26
IL Haifa 32.79 34.99
IL Jerusalem 31.77 35.21
IL Tel Aviv 32.09 34.78
IN Bangalore 12.97 77.59
IN Chennai 13.08 80.27
IN Delhi 28.61 77.21
IN Hyderabad 17.39 78.49
IN Jamnagar 22.47 70.06
IN Mumbai 19.08 72.88
IN Nagpur 21.15 79.09
IN Pune 18.52 73.86
IT Milan 45.46 9.19
IT Turin 45.07 7.69
JP Osaka 34.69 135.5
JP Tokyo 35.68 139.69
KR Busan 35.18 129.08
KR Chuncheon 37.88 127.73
KR Seoul 37.57 126.98
MA Casablanca 33.57 -7.59
MX Monterrey 25.69 -100.32
MX Querétaro 20.59 -100.39
MY Johor 1.49 103.74
MY Kuala Lumpur 3.14 101.69
NL Amsterdam 52.37 4.9
NL Eemshaven 53.44 6.83
NO Oslo 59.91 10.75
NO Stavanger 58.97 5.73
NZ Auckland -36.85 174.76
PH Manila 14.6 120.98
PL Warsaw 52.23 21.01
QA Doha 25.29 51.53
RS Jovanovac 44.07 20.93
SA Dammam 26.42 50.09
SA Jeddah 21.49 39.19
SA Riyadh 24.71 46.68
SE Gävle 60.67 17.14
SE Malmö 55.6 13
SE Stockholm 59.33 18.07
SG Singapore 1.35 103.82
TH Bangkok 13.76 100.5
TW Changhua 24.07 120.54
TW Taipei 25.03 121.57
US Abilene 32.45 -99.73
US Ashburn 39.04 -77.49
US Atlanta 33.75 -84.39
US Boardman 45.84 -119.7
US Boydton 36.67 -78.39
US Cheyenne 41.14 -104.82
US Chicago 41.88 -87.63
US Columbus 39.96 -83
US Council Bluffs 41.26 -95.86
US Dallas 32.78 -96.8
US Des Moines 41.59 -93.62
US Fremont 37.55 -121.99
US Las Vegas 36.17 -115.14
US Lenexa 38.95 -94.73
US Los Angeles 34.05 -118.24
US Memphis 35.15 -90.05
US Miami 25.76 -80.19
US Moncks Corner 33.2 -80.01
US Newark 40.74 -74.17
US New York 40.71 -74.01
US Phoenix 33.45 -112.07
US Quincy 47.23 -119.85
US Saint Louis 38.63 -90.2
US Salt Lake City 40.76 -111.89
US San Antonio 29.42 -98.49
US San Francisco 37.77 -122.42
US San Jose 37.34 -121.89
US Seattle 47.61 -122.33
US Shawnee 39.02 -94.72
US The Dalles 45.59 -121.18
ZA Cape Town -33.92 18.42
ZA Johannesburg -26.2 28.05
"""

_REGIONS: Mapping[str, str] = {
    "aws": """
us-east-1 Ashburn|us-east-2 Columbus|us-west-1 San Francisco|us-west-2 Boardman|us-south-1 Dallas
us-gov-east-1 Columbus|us-gov-west-1 Boardman
ca-central-1 Montreal|ca-west-1 Calgary|mx-central-1 Querétaro|sa-east-1 São Paulo|sa-west-1 Santiago
eu-west-1 Dublin|eu-west-2 London|eu-west-3 Paris|eu-central-1 Frankfurt|eu-central-2 Zurich|eu-north-1 Stockholm
eu-south-1 Milan|eu-south-2 Zaragoza|eusc-de-east-1 Brandenburg
af-south-1 Cape Town|il-central-1 Tel Aviv|me-central-1 Dubai|me-south-1 Manama|me-west-1 Riyadh
ap-east-1 Hong Kong|ap-east-2 Taipei|ap-south-1 Mumbai|ap-south-2 Hyderabad
ap-northeast-1 Tokyo|ap-northeast-2 Seoul|ap-northeast-3 Osaka
ap-southeast-1 Singapore|ap-southeast-2 Sydney|ap-southeast-3 Jakarta|ap-southeast-4 Melbourne
ap-southeast-5 Kuala Lumpur|ap-southeast-6 Auckland|ap-southeast-7 Bangkok
cn-north-1 Beijing|cn-northwest-1 Zhongwei
""",
    "gcp": """
us-central1 Council Bluffs|us-central2 Council Bluffs|us-east1 Moncks Corner|us-east4 Ashburn|us-east5 Columbus
us-east7 Atlanta|us-south1 Dallas|us-west1 The Dalles|us-west2 Los Angeles|us-west3 Salt Lake City|us-west4 Las Vegas
us-west8 Phoenix|northamerica-northeast1 Montreal|northamerica-northeast2 Toronto|northamerica-south1 Querétaro
southamerica-east1 São Paulo|southamerica-west1 Santiago
europe-central2 Warsaw|europe-north1 Hamina|europe-north2 Stockholm|europe-southwest1 Madrid
europe-west1 Saint-Ghislain|europe-west2 London|europe-west3 Frankfurt|europe-west4 Eemshaven|europe-west6 Zurich
europe-west8 Milan|europe-west9 Paris|europe-west10 Berlin|europe-west12 Turin
africa-south1 Johannesburg|me-central1 Doha|me-central2 Dammam|me-west1 Tel Aviv
asia-east1 Changhua|asia-east2 Hong Kong|asia-northeast1 Tokyo|asia-northeast2 Osaka|asia-northeast3 Seoul
asia-south1 Mumbai|asia-south2 Delhi|asia-southeast1 Singapore|asia-southeast2 Jakarta|asia-southeast3 Bangkok
australia-southeast1 Sydney|australia-southeast2 Melbourne
""",
    "azure": """
eastus Ashburn|eastus2 Boydton|eastus2euap Boydton|eastus3 Atlanta|centralus Des Moines|centraluseuap Des Moines
northcentralus Chicago|southcentralus San Antonio|southcentralus2 San Antonio|westcentralus Cheyenne
westus San Francisco|westus2 Quincy|westus3 Phoenix|usstagec Des Moines|usstagee Ashburn
southeastus US|southeastus3 US|southeastus5 US|northeastus5 US|southwestus US
canadacentral Toronto|canadaeast Quebec|mexicocentral Querétaro|chilec Santiago
brazilsouth São Paulo|brazilse Rio de Janeiro|brazilne Fortaleza
northeurope Dublin|northeurope2 Dublin|westeurope Amsterdam|uksouth London|ukwest Cardiff
centralfrance Paris|southfrance Marseille|germanyn Berlin|germanywc Frankfurt|switzerlandn Zurich|switzerlandw Geneva
norwaye Oslo|norwayw Stavanger|swedencentral Gävle|swedensouth Malmö|denmarkeast Copenhagen|polandcentral Warsaw
italynorth Milan|spaincentral Madrid|austriaeast Vienna|belgiumcentral Brussels
israelcentral Tel Aviv|israelnorthwest Haifa|qatarcentral Doha|uaecentral Abu Dhabi|uaenorth Dubai
southafricanorth Johannesburg|southafricawest Cape Town
eastasia Hong Kong|southeastasia Singapore|japaneast Tokyo|japanwest Osaka|koreacentral Seoul|koreasouth Busan
centralindia Pune|southindia Chennai|westindia Mumbai|jioindiacentral Nagpur|jioindiawest Jamnagar
indiasouthcentral Hyderabad|indonesiacentral Jakarta|malaysiasouth Johor|malaysiawest Kuala Lumpur
taiwannorth Taipei|taiwannorthwest Taipei|newzealandnorth Auckland
australiacentral Canberra|australiacentral2 Canberra|australiaeast Sydney|australiasoutheast Melbourne
francecentral Paris|francesouth Marseille|germanynorth Berlin|germanywestcentral Frankfurt|switzerlandnorth Zurich
switzerlandwest Geneva|norwayeast Oslo|norwaywest Stavanger|brazilsoutheast Rio de Janeiro|chilecentral Santiago
chinaeast Shanghai|chinaeast2 Shanghai|chinanorth Beijing|chinanorth2 Beijing
""",
    "oracle": """
us-ashburn-1 Ashburn|us-phoenix-1 Phoenix|us-sanjose-1 San Jose|us-chicago-1 Chicago|us-abilene-1 Abilene
us-boardman-1 Boardman|us-dallas-1 Dallas|us-desmoines-1 Des Moines|us-lenexa-1 Lenexa|us-quincy-1 Quincy
us-saltlake-2 Salt Lake City|us-sanantonio-1 San Antonio|us-shawnee-1 Shawnee
ca-montreal-1 Montreal|ca-toronto-1 Toronto|mx-monterrey-1 Monterrey|mx-queretaro-1 Querétaro
sa-bogota-1 Bogotá|sa-santiago-1 Santiago|sa-valparaiso-1 Valparaíso|sa-saopaulo-1 São Paulo|sa-vinhedo-1 Campinas
sa-riodejaneiro-2 Rio de Janeiro
eu-amsterdam-1 Amsterdam|eu-dublin-3 Dublin|eu-frankfurt-1 Frankfurt|eu-jovanovac-1 Jovanovac|eu-madrid-1 Madrid
eu-madrid-3 Madrid|eu-marseille-1 Marseille|eu-milan-1 Milan|eu-paris-1 Paris|eu-stockholm-1 Stockholm
eu-zurich-1 Zurich|uk-cardiff-1 Cardiff|uk-london-1 London
af-casablanca-1 Casablanca|af-johannesburg-1 Johannesburg|il-jerusalem-1 Jerusalem
me-abudhabi-1 Abu Dhabi|me-dubai-1 Dubai|me-jeddah-1 Jeddah|me-riyadh-1 Riyadh
ap-batam-1 Batam|ap-chuncheon-1 Chuncheon|ap-delhi-1 Delhi|ap-hyderabad-1 Hyderabad|ap-kulai-1 Johor
ap-melbourne-1 Melbourne|ap-mumbai-1 Mumbai|ap-osaka-1 Osaka|ap-seoul-1 Seoul|ap-singapore-1 Singapore
ap-singapore-2 Singapore|ap-sydney-1 Sydney|ap-tokyo-1 Tokyo
""",
    "digitalocean": """
us-nj New York|us-ny New York|us-ca San Francisco|us-ga Atlanta|us-mem Memphis|us-mo Saint Louis|us-va Ashburn
ca-on Toronto|nl-nh Amsterdam|de-he Frankfurt|gb-slg London|in-ka Bangalore|sg-05 Singapore|au-nsw Sydney
nyc1 New York|nyc2 New York|nyc3 New York|sfo1 San Francisco|sfo2 San Francisco|sfo3 San Francisco|tor1 Toronto
atl1 Atlanta|ams2 Amsterdam|ams3 Amsterdam|fra1 Frankfurt|lon1 London|blr1 Bangalore|sgp1 Singapore|syd1 Sydney
""",
    "alibaba": """
cn-hangzhou Hangzhou|cn-shanghai Shanghai|cn-qingdao Qingdao|cn-beijing Beijing|cn-zhangjiakou Zhangjiakou
cn-huhehaote Hohhot|cn-wulanchabu Ulanqab|cn-shenzhen Shenzhen|cn-heyuan Heyuan|cn-guangzhou Guangzhou
cn-chengdu Chengdu|cn-nanjing Nanjing|cn-hongkong Hong Kong|ap-southeast-1 Singapore|ap-southeast-3 Kuala Lumpur
ap-southeast-5 Jakarta|ap-southeast-6 Manila|ap-southeast-7 Bangkok|ap-northeast-1 Tokyo|ap-northeast-2 Seoul
us-west-1 San Jose|us-east-1 Ashburn|na-south-1 Querétaro|eu-central-1 Frankfurt|eu-west-1 London|me-east-1 Dubai
me-central-1 Riyadh
""",
    "tencent": """
ap-guangzhou Guangzhou|ap-shanghai Shanghai|ap-nanjing Nanjing|ap-beijing Beijing|ap-chengdu Chengdu
ap-hongkong Hong Kong|ap-singapore Singapore|ap-jakarta Jakarta|ap-seoul Seoul|ap-tokyo Tokyo|ap-bangkok Bangkok
na-siliconvalley San Jose|na-ashburn Ashburn|eu-frankfurt Frankfurt|sa-saopaulo São Paulo
""",
    "hetzner": "fsn1 Falkenstein|nbg1 Nuremberg|hel1 Helsinki|ash Ashburn|hil Boardman|sin Singapore",
    "linode": """
us-east Newark|us-central Dallas|us-west Fremont|us-southeast Atlanta|us-ord Chicago|us-iad Ashburn|us-sea Seattle
us-mia Miami|us-lax Los Angeles|ca-central Toronto|eu-west London|eu-central Frankfurt|fr-par Paris|nl-ams Amsterdam
se-sto Stockholm|it-mil Milan|es-mad Madrid|ap-south Singapore|ap-northeast Tokyo|jp-osa Osaka|ap-west Mumbai
in-maa Chennai|ap-southeast Sydney|br-gru São Paulo|id-cgk Jakarta
""",
}


def _read() -> dict[tuple[str, str], Region]:
    cities = {code: Region(code, None, about.latitude, about.longitude) for code, about in COUNTRIES.items()}
    for line in _CITIES.strip().splitlines():
        country, rest = line.split(" ", 1)
        city, latitude, longitude = rest.rsplit(" ", 2)
        cities[city] = Region(country, city, float(latitude), float(longitude))
    found = {}
    for provider, table in _REGIONS.items():
        for entry in table.replace("\n", "|").strip("|").split("|"):
            name, city = entry.split(" ", 1)
            found[provider, name] = cities[city]
    return found


REGIONS: Mapping[tuple[str, str], Region] = _read()


def region_of(provider: str, region: str) -> Region | None:
    """Where a provider's region is, in any case of letters; None for one that is no place, or not known here."""
    return REGIONS.get((provider.lower(), region.lower()))
